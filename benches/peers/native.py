"""halfwave and its native peers, in the shared library that native/ is."""

import ctypes
import ctypes.util
import glob
import os
import re
import sys
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))


class Arrays(ctypes.Structure):
    """What a contender reads and writes."""

    _fields_ = [("x", ctypes.c_void_p), ("dy", ctypes.c_void_p), ("y", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Native:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.peers_backend.restype = ctypes.c_char_p
        self.library.peers_open.restype = ctypes.c_char_p
        self.library.peers_find.restype = ctypes.c_void_p
        self.library.peers_time.restype = ctypes.c_double
        self.library.peers_time.argtypes = [ctypes.c_void_p, ctypes.POINTER(Arrays), ctypes.c_uint64]
        backend = self.library.peers_backend()
        if not backend:
            sys.exit(1)
        self.backend = backend.decode()
        self.versions = {"rten": f"rten-vecmath {locked('rten-vecmath')}"}
        self.skipped = {}
        for peer, find in {"VML": find_vml, "SLEEF": find_sleef}.items():
            try:
                self.versions[peer] = self.open(peer, *find())
            except OSError as error:
                self.skipped[peer] = str(error)

    def open(self, peer, path, version):
        reason = self.library.peers_open(peer.encode(), path.encode())
        if reason:
            raise OSError(reason.decode())
        return version()

    def find(self, peer, op, dtype, form):
        """`f(arrays, calls)`, which says how many seconds those calls take; None if there is no such contender."""
        handle = self.library.peers_find(f"{peer} {op} {dtype} {form}".encode())
        return handle and (lambda arrays, calls: self.library.peers_time(handle, arrays, calls))


# Where a library is, and what tells its version once it is loaded.


def find_vml():
    pattern = os.path.join(sys.prefix, "lib", "libmkl_rt.so*")
    paths = glob.glob(pattern)
    if not paths:
        raise OSError(f"there is no {pattern}: pip install mkl")

    def version():
        text = ctypes.create_string_buffer(200)
        ctypes.CDLL(paths[0]).MKL_Get_Version_String(text, len(text))
        return "MKL " + re.search(r"Version (\S+?)-", text.value.decode())[1]

    return paths[0], version


def find_sleef():
    name = ctypes.util.find_library("sleef")
    if not name:
        raise OSError("there is no libsleef.so: apt-get install libsleef3, or another package of SLEEF's")

    def version():
        with open("/proc/self/maps") as maps:
            return "SLEEF " + re.search(r"libsleef\.so\.([\d.]+)", maps.read())[1]

    return name, version


def locked(package):
    """The version of a crate that native/ takes."""
    with open(os.path.join(HERE, "native", "Cargo.lock"), "rb") as file:
        return next(p["version"] for p in tomllib.load(file)["package"] if p["name"] == package)
