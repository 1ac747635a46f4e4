"""Exact spectra of layers, and what they say of a network. Szegedy et al. 2013, section 4.3."""
