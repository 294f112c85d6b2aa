"""Batch to prediction."""

from epigx.models.base import Model
from epigx.models.encoders import ConfounderEncoder, SignalEncoder
from epigx.models.enformer import EnformerModel
from epigx.models.head import Head
from epigx.models.predictor import Predictor, PredictorModel

__all__ = ["ConfounderEncoder", "EnformerModel", "Head", "Model", "Predictor", "PredictorModel", "SignalEncoder"]
