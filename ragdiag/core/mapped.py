"""Named arrays in one file, an ordinary ``.npz``, in which each stands so that it can be read where it is."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from ragdiag.core.arrays import Array

__all__ = ["read_arrays", "write_arrays"]

MAPPED_FROM = 1 << 24
"""Bytes from which an array is left on disk and read as it is used; a smaller one is soon read."""

ALIGNED = 64
"""An array starts at a multiple of so many bytes, as NumPy's own files have it, so that it is as quick on disk as in memory."""

LOCAL_HEADER, ZIP64_FIELD, PADDING_FIELD = 30, 20, 4
"""Bytes before a member of a zip file: its header without names and fields, and two fields, the second without its content."""

PADDING = 0xD935
"""The kind of field that other tools use for this too."""


def write_arrays(file: BinaryIO, arrays: Mapping[str, Array]) -> None:
    """Write `arrays` into a file that is empty."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, values in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            start = file.tell() + LOCAL_HEADER + len(member.filename.encode()) + PADDING_FIELD + ZIP64_FIELD
            spare = -start % ALIGNED
            member.extra = struct.pack("<HH", PADDING, spare) + bytes(spare)
            with archive.open(member, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.ascontiguousarray(values), allow_pickle=False)


def read_arrays(file: BinaryIO) -> dict[str, Array]:
    """The arrays of a file, which nobody may change; large ones are mapped. Raises `ValueError` for what no array is."""
    arrays = dict[str, Array]()
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.file_size >= MAPPED_FROM:
                values = _mapped(file, member)
            else:
                with archive.open(member) as part:
                    values = np.lib.format.read_array(part, allow_pickle=False)
            values.flags.writeable = False
            arrays[member.filename.removesuffix(".npy")] = values
    return arrays


def _mapped(file: BinaryIO, member: zipfile.ZipInfo) -> Array:
    """An array where it is in the file."""
    file.seek(member.header_offset)
    name, extra = struct.unpack("<HH", file.read(LOCAL_HEADER)[26:])
    file.seek(member.header_offset + LOCAL_HEADER + name + extra)
    np.lib.format.read_magic(file)
    shape, fortran, kind = np.lib.format.read_array_header_1_0(file)
    if kind.hasobject or fortran:
        raise ValueError("no array of numbers, row by row")
    mapped: Array = np.memmap(file, dtype=kind, mode="r", offset=file.tell(), shape=shape)
    return mapped.view(np.ndarray)
