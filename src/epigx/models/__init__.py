"""Models: networks that turn a batch into a prediction."""

from epigx.models.base import Cost, Model
from epigx.models.encoders import ConfounderEncoder, SignalEncoder
from epigx.models.enformer import EnformerModel
from epigx.models.epinformer import EPInformerModel
from epigx.models.head import Head
from epigx.models.predictor import Predictor, PredictorModel
from epigx.models.seq2exp import Seq2Exp, Seq2ExpHard, Seq2ExpSoft

__all__ = [
    "ConfounderEncoder",
    "Cost",
    "EPInformerModel",
    "EnformerModel",
    "Head",
    "Model",
    "Predictor",
    "PredictorModel",
    "Seq2Exp",
    "Seq2ExpHard",
    "Seq2ExpSoft",
    "SignalEncoder",
]
