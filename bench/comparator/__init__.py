"""The comparator: FastAPI, pydantic, confluent-kafka's AvroSerializer and a future for each request.

What it leaves out, the bridge does: authentication, event id, record headers, metrics, dead letters, strict reading.
"""
