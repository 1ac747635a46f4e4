"""Blindspots: a dashboard and job service for the intriguing properties of neural networks."""

__version__ = "0.1.0"
