"""Content addressing as pure functions over bytes: CIDs, UnixFS, DAG codecs, CAR files and manifests."""
