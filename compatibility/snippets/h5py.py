"""HDF5 in libraries beside the package: groups, compressed data sets, attributes, references, strings."""

import h5py
import numpy as np

with h5py.File("data.h5", "w") as file:
    data = file.create_dataset(
        "g/d", data=np.arange(100).reshape(10, 10), chunks=(5, 5), compression="gzip", shuffle=True
    )
    data.attrs["unit"] = "m"
    file["names"] = ["ä", "b"]
    file["link"] = h5py.SoftLink("/g/d")
    file["ref"] = data.ref
with h5py.File("data.h5") as file:
    print(sorted(file), file["link"][2:4, ::5], dict(file["g/d"].attrs), file["names"].asstr()[:])
    print(file[file["ref"][()]].name, file["g/d"].compression)
    try:
        file["nothing"]
    except KeyError as error:
        print(error)
layout = h5py.VirtualLayout((2, 10), dtype="i8")
layout[0] = h5py.VirtualSource("data.h5", "g/d", (10, 10))[3]
with h5py.File("virtual.h5", "w") as file:
    print(file.create_virtual_dataset("v", layout, fillvalue=-1)[:, :3])
print(sorted(h5py.h5z.get_filter_info(h5py.h5z.FILTER_DEFLATE).to_bytes(2, "big")), h5py.is_hdf5("data.h5"))
