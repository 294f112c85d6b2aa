from __future__ import annotations

import torch

from epigx.layers.embedding import TokenEmbedding


def one_hot(bases: list[int]) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor([bases]), 5)[..., :4].float()


def test_each_base_and_n_has_its_row_of_the_tokenizers_table() -> None:
    embedding = TokenEmbedding(6)
    assert embedding.weight.shape == (12, 6)
    found = embedding(one_hot([0, 1, 2, 3, 4]))
    torch.testing.assert_close(found[0], embedding.weight[[7, 8, 9, 10, 11]])


def test_a_mixture_of_bases_is_embedded_between_them() -> None:
    embedding = TokenEmbedding(6)
    found = embedding(torch.tensor([[[0.5, 0.5, 0.0, 0.0]]]))
    torch.testing.assert_close(found[0, 0], embedding.weight[7:9].mean(0))


def test_rows_of_no_base_are_not_trained() -> None:
    embedding = TokenEmbedding(6)
    embedding(one_hot([0, 1, 2, 3, 4])).square().sum().backward()
    assert embedding.weight.grad[:7].eq(0).all()
    assert embedding.weight.grad[7:].ne(0).all()
