"""What `bundleimp.dask`, `bundleimp.spark` and `bundleimp.ray` share."""
