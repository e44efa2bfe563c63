"""Texts through the model, without padding where the device can."""
