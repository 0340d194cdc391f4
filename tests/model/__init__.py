"""A scripted model on loopback that speaks the wire formats of the four agent programs."""
