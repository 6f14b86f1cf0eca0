"""Say what fits: arithmetic over headers, and the measurements that replace it."""
