"""Configuration: frozen, strict, round trip through YAML, overrides, and the open family of kinds."""

from __future__ import annotations

from typing import Literal

import pytest
import yaml
from pydantic import Field, ValidationError, model_validator

from epigx.config import Config, Kind
from epigx.errors import ConfigError


class Animal(Kind):
    legs: int = Field(4, ge=0)


class Cat(Animal):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Bird(Animal):
    kind: Literal["bird"] = "bird"
    legs: int = 2
    song: str | None = None


class House(Config):
    rooms: int = 3
    pet: Animal = Cat()
    names: tuple[str, ...] = ()


def reload(house: House) -> House:
    return House.parse(yaml.safe_load(house.dump()))


@pytest.mark.parametrize("house", [House(), House(pet=Bird(song="trill"), names=("a", "b")), House(pet=Cat(lives=1))])
def test_yaml_round_trip_gives_an_equal_config_of_the_same_kinds(house: House) -> None:
    assert reload(house) == house
    assert type(reload(house).pet) is type(house.pet)


def test_a_config_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        House().rooms = 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"romos": 4}, r"unknown key 'romos'\. Did you mean 'rooms'\?"),
        ({"pet": {"kind": "cta"}}, r"pet: unknown animal 'cta'\. Did you mean 'cat'\?"),
        ({"pet": {"kind": ["cat"]}}, r"pet: unknown animal \['cat'\]"),
        ({"pet": {"kind": "cat", "livs": 3}}, r"unknown key 'pet\.livs'\. Did you mean 'lives'\?"),
        ({"rooms": "many"}, r"rooms: .*integer.*'many'"),
        ({"pet": {"kind": "cat", "legs": -1}}, r"pet\.legs: .*greater than or equal to 0.*-1"),
    ],
)
def test_a_wrong_value_is_reported_with_its_key_and_a_fix(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        House.parse(values)


def test_override_replaces_values_at_any_depth() -> None:
    house = House().override("rooms=5", "pet.lives=2", "names=[x, y]")
    assert house == House(rooms=5, pet=Cat(lives=2), names=("x", "y"))


def test_override_can_change_the_kind() -> None:
    assert House().override("pet={kind: bird, song: chirp}").pet == Bird(song="chirp")
    assert House(pet=Cat(legs=3)).override("pet.kind=bird").pet == Bird()
    assert House().override("pet.kind=bird", "pet.song=chirp").pet == Bird(song="chirp")
    assert House(pet=Cat(legs=3)).override("pet.kind=cat").pet == Cat(legs=3)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("rooms", "not of the form key=value"),
        ("rooms.big=1", "nothing below 'rooms'"),
        ("pet.livs=1", r"unknown key 'livs'\. Did you mean 'lives'\?"),
        ("rooms=[", "not a YAML value"),
        ("rooms=many", "rooms"),
        ("pet.kind=brid", r"unknown animal 'brid'\. Did you mean 'bird'\?"),
        ("pet.kind=[bird]", "unknown animal"),
    ],
)
def test_override_says_what_is_wrong(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        House().override(assignment)


def test_override_says_that_a_group_is_not_set() -> None:
    class Street(Config):
        house: House | None = None

    message = r"^--set house\.rooms: house is not set\. Set all of it at once: --set 'house=\{rooms: …, …\}'\.$"
    with pytest.raises(ConfigError, match=message):
        Street().override("house.rooms=1")
    assert Street().override("house={rooms: 4}").house == House(rooms=4)


def test_override_names_what_the_user_typed() -> None:
    with pytest.raises(ConfigError, match=r"^--rooms many: rooms: .*integer"):
        House().override("rooms=many", "names=[x]", typed={"rooms=many": "--rooms many"})
    with pytest.raises(ConfigError, match=r"^--set rooms=some: rooms: .*integer"):
        House().override("rooms=many", "rooms=some", typed={"rooms=many": "--rooms many"})


def test_override_blames_what_the_problem_is_about() -> None:
    with pytest.raises(ConfigError, match=r"^--set pet\.legs=-1: pet\.legs: "):
        House().override("rooms=5", "pet.lives=2", "pet.legs=-1")
    with pytest.raises(ConfigError, match=r"^--set pet=\{kind: cat, legs: -1\}: pet\.legs: "):
        House().override("rooms=5", "pet={kind: cat, legs: -1}")

    class Street(Config):
        house: House = House()
        width: int = 5

        @model_validator(mode="after")
        def _check_width(self) -> Street:
            if self.house.rooms > self.width:
                raise ValueError("the house does not fit")
            return self

    with pytest.raises(ConfigError, match=r"^--set house\.rooms=9 --set width=4: the house does not fit\."):
        Street().override("house.rooms=9", "width=4")


def test_load_names_the_file(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"house\.yaml does not exist"):
        House.load(tmp_path / "house.yaml")
    (tmp_path / "house.yaml").write_text("rooms: [")
    with pytest.raises(ConfigError, match=r"house\.yaml is not valid YAML"):
        House.load(tmp_path / "house.yaml")
    (tmp_path / "house.yaml").write_text("rooms: 1\nrooms: 2")
    with pytest.raises(ConfigError, match=r"house\.yaml .*YAML: line 2, column 1: the key 'rooms' is repeated"):
        House.load(tmp_path / "house.yaml")
    (tmp_path / "house.yaml").write_text("romos: 1")
    with pytest.raises(ConfigError, match=r"house\.yaml: unknown key 'romos'"):
        House.load(tmp_path / "house.yaml")


def test_a_mistyped_key_is_named_before_the_key_that_is_missing_for_it() -> None:
    class Street(Config):
        name: str

    with pytest.raises(ConfigError, match=r"unknown key 'nmae'\. Did you mean 'name'\?"):
        Street.parse({"nmae": "High Street"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"rooms: [", r"house\.yaml is not valid YAML: line 1, column 9: expected the node content, but found"),
        (b"rooms: 3\n names: x", r"line 2, column 7: mapping values are not allowed here\."),
        (b"\xff\xfe\x00\xd8", r"house\.yaml is not valid YAML: 'utf-8' codec can't decode"),
    ],
)
def test_a_file_that_is_not_yaml_is_reported_in_one_sentence(tmp_path, text, said) -> None:
    path = tmp_path / "house.yaml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=said) as raised:
        House.load(path)
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


def test_a_member_defined_elsewhere_is_found() -> None:
    class Fish(Animal):
        kind: Literal["fish"] = "fish"
        legs: int = 0

    assert House.parse({"pet": {"kind": "fish"}}).pet == Fish()
