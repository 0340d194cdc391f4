"""Figures against floors and peers: one module a subject, `bench/run` prints them all."""
