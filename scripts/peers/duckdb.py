"""DuckDB for the Python scripts of this folder, by its C library that comes with
the npm package, as Debian has no Python package of it.

C API: https://duckdb.org/docs/stable/clients/c/api
"""
import ctypes
import glob
import os
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_float, c_int, c_uint64, c_void_p

import numpy as np

LIBRARY = glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "node_modules/@duckdb/node-bindings-linux-*/libduckdb.so"))
FLOAT = 10  # DUCKDB_TYPE_FLOAT


class Result(ctypes.Structure):
    _fields_ = [("counts", c_uint64 * 3), ("columns", c_void_p), ("error", c_void_p), ("internal", c_void_p)]


FUNCTION = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)

SIGNATURES = {
    "create_config": (c_int, [POINTER(c_void_p)]),
    "set_config": (c_int, [c_void_p, c_char_p, c_char_p]),
    "open_ext": (c_int, [c_char_p, POINTER(c_void_p), c_void_p, POINTER(c_char_p)]),
    "connect": (c_int, [c_void_p, POINTER(c_void_p)]),
    "query": (c_int, [c_void_p, c_char_p, POINTER(Result)]),
    "result_error": (c_char_p, [POINTER(Result)]),
    "destroy_result": (None, [POINTER(Result)]),
    "column_count": (c_uint64, [POINTER(Result)]),
    "fetch_chunk": (c_void_p, [Result]),
    "destroy_data_chunk": (None, [POINTER(c_void_p)]),
    "data_chunk_get_size": (c_uint64, [c_void_p]),
    "data_chunk_get_vector": (c_void_p, [c_void_p, c_uint64]),
    "vector_get_data": (c_void_p, [c_void_p]),
    "create_logical_type": (c_void_p, [c_int]),
    "create_scalar_function": (c_void_p, []),
    "scalar_function_set_name": (None, [c_void_p, c_char_p]),
    "scalar_function_add_parameter": (None, [c_void_p, c_void_p]),
    "scalar_function_set_return_type": (None, [c_void_p, c_void_p]),
    "scalar_function_set_function": (None, [c_void_p, FUNCTION]),
    "register_scalar_function": (c_int, [c_void_p, c_void_p]),
}


def functions():
    library = ctypes.CDLL(LIBRARY[0])
    for name, (result, arguments) in SIGNATURES.items():
        f = getattr(library, "duckdb_" + name)
        f.restype, f.argtypes = result, arguments
        yield name, f


def floats(vector, rows, duck):
    """The values of a vector of FLOAT, in place."""
    return np.ctypeslib.as_array((c_float * rows).from_address(duck["vector_get_data"](vector)))


class Connection:
    """An empty database in memory. settings are DuckDB's own, texts."""

    def __init__(self, **settings):
        self.duck = dict(functions())
        config, database, self.connection, error = c_void_p(), c_void_p(), c_void_p(), c_char_p()
        self.done(self.duck["create_config"](byref(config)))
        for name, value in settings.items():
            self.done(self.duck["set_config"](config, name.encode(), value.encode()))
        self.done(self.duck["open_ext"](b":memory:", byref(database), config, byref(error)), error.value)
        self.done(self.duck["connect"](database, byref(self.connection)))
        self.kept = []  # what DuckDB calls must stay

    @staticmethod
    def done(state, error=None):
        if state != 0:
            raise RuntimeError(f"DuckDB: {error}")

    def run(self, sql):
        """Runs a statement and gives its result, which the caller destroys."""
        result = Result()
        self.done(self.duck["query"](self.connection, sql.encode(), byref(result)), self.duck["result_error"](byref(result)))
        return result

    def matrix(self, sql):
        """The rows of a query whose columns are all FLOAT without null."""
        result = self.run(sql)
        columns = range(self.duck["column_count"](byref(result)))
        chunks = []
        while chunk := self.duck["fetch_chunk"](result):
            chunks.append(self.rows(chunk, columns))
            self.duck["destroy_data_chunk"](byref(c_void_p(chunk)))
        self.duck["destroy_result"](byref(result))
        return np.concatenate(chunks)

    def rows(self, chunk, columns):
        rows = self.duck["data_chunk_get_size"](chunk)
        return np.stack([floats(self.duck["data_chunk_get_vector"](chunk, c), rows, self.duck) for c in columns], axis=1)

    def define(self, name, arguments, function):
        """Makes function(rows) of a matrix a function of SQL, of so many FLOAT
        to one FLOAT. DuckDB calls it from its threads, for up to 2,048 rows."""
        @FUNCTION
        def call(_, chunk, out):
            rows = self.rows(chunk, range(arguments))
            floats(out, len(rows), self.duck)[:] = function(rows)

        kind, f = self.duck["create_logical_type"](FLOAT), self.duck["create_scalar_function"]()
        self.duck["scalar_function_set_name"](f, name.encode())
        for _ in range(arguments):
            self.duck["scalar_function_add_parameter"](f, kind)
        self.duck["scalar_function_set_return_type"](f, kind)
        self.duck["scalar_function_set_function"](f, call)
        self.done(self.duck["register_scalar_function"](self.connection, f))
        self.kept.append(call)
