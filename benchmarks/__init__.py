"""Accuracy and speed, measured on recordings and on simulated productions."""
