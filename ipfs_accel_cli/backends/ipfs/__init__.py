"""An IPFS node, asked by the RPC that Kubo has and others took over (https://docs.ipfs.tech/reference/kubo/rpc/)."""
