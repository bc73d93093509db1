"""Memory that ends where it says: behind it lies a page nobody may touch."""

import ctypes
import mmap

_c = ctypes.CDLL(None, use_errno=True)
_c.mmap.restype = ctypes.c_void_p
_c.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_c.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_c.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

_PAGE = mmap.PAGESIZE


class Guarded:
    """Bytes at the very end of a page, before one that is not accessible.

    with Guarded(b"text") as address: …
    """

    def __init__(self, data: bytes) -> None:
        self._size = (len(data) + _PAGE - 1) // _PAGE * _PAGE + _PAGE
        protection, kind = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._start = _c.mmap(None, self._size, protection, kind, -1, 0)
        assert self._start != ctypes.c_void_p(-1).value
        last = self._start + self._size - _PAGE
        assert _c.mprotect(last, _PAGE, 0) == 0
        self.address = last - len(data)
        ctypes.memmove(self.address, data, len(data))

    def __enter__(self) -> int:
        return self.address

    def __exit__(self, *_: object) -> None:
        _c.munmap(self._start, self._size)
