"""The service face: the HTTP API. One declaration an operation; what it does is done by the project facade.

Next in the flow: `server` opens the port, `app` lets in and answers, `routes` say what there is.
"""
