"""The pytest plugin: fixtures for testing against orange."""
