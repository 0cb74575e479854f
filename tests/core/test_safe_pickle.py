"""Pickles are read as data: nothing in a hostile file is executed, and damaged ones are errors."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import scipy.sparse

from core.errors import BodyError, InputMissingError, TrackFileError, UnsafePickleError
from core.io.pickle import load
from core.io.pickle.load import load_pickle
from core.io.pickle.opcodes import PlainUnpickler

RNG = np.random.default_rng(5)


def _load(data: bytes, **options):
    return load_pickle(io.BytesIO(data), **options)


def _name(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


class _Call:
    """An object that is pickled as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class _Fields:
    """An object that is pickled as a call with a state."""

    def __init__(self, function, args, state):
        self.parts = function, args, state

    def __reduce__(self):
        return self.parts


def _hostile(flag, chumpy):
    """Return pickles, by name, that would create the file *flag* if anything in them were executed."""
    shell = _Call(os.system, f"touch {flag}")
    code = f"open({str(flag)!r}, 'w').close()"
    items = np.empty(1, dtype=object)
    items[0] = shell
    nested = pickle.dumps(shell)
    cases = {
        "top level": shell,
        "in a dict": {"v_template": {"deeper": [(shell,)]}},
        "as a key": {(1, 2): {frozenset(["a"]): shell}},
        "in an object array": items,
        "in a stand-in's state": chumpy.Ch(x={"y": shell}),
        "eval": _Call(eval, code),
        "exec": _Call(exec, code),
        "getattr": _Call(getattr, "text", "__class__"),
        "chain of getattr": _Call(getattr, _Call(__import__, "os"), "system"),
        "numpy.load": _Call(np.load, str(flag), None, True),
        "numpy.fromfile": _Call(np.fromfile, str(flag)),
        "open": _Call(open, str(flag), "w"),
        "Popen": _Call(subprocess.Popen, ["touch", str(flag)]),
        "pickle.loads": _Call(pickle.loads, nested),
        "import": _Call(__import__, "antigravity"),
        "a class": collections.Counter("aab"),
        "a module function": os.path.join,
        "state of a function": _Fields(os.system, (f"touch {flag}",), {"a": 1}),
    }
    return {name: pickle.dumps(value, protocol) for protocol in (0, 2, 4) for name, value in cases.items()}


def test_hostile_pickles_are_rejected_without_execution(tmp_path, chumpy):
    flag = tmp_path / "executed"
    for name, data in _hostile(flag, chumpy).items():
        with pytest.raises(UnsafePickleError, match="nothing was executed") as caught:
            _load(data)
        assert not flag.exists(), name
        assert "\n" not in str(caught.value)


def test_message_names_the_requested_object(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(_Call(os.system, "true"), 2))
    with pytest.raises(UnsafePickleError, match=r"'posix\.system' in .*model\.pkl"):
        load_pickle(path)


def _object_scalar(inner: bytes) -> bytes:
    """Return a NumPy scalar of object type, whose bytes NumPy itself would unpickle."""
    scalar = _name("numpy.core.multiarray", "scalar")
    dtype = _name("numpy", "dtype") + b"(S'O8'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI63\ntb"
    return scalar + b"(" + dtype + b"B" + struct.pack("<I", len(inner)) + inner + b"tR."


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02Psome_id\n.",
        b"\x80\x02NQ.",
        b"\x80\x02\x82\x01.",
        b"\x80\x05\x97.",
        b"(S'touch /tmp/x'\nios\nsystem\n.",
        _name("chumpy.ch", "a.b") + b".",
        _name("chumpyish.ch", "Ch") + b".",
        _name("scipy.sparse.csc", "load_npz") + b".",
        _name("scipy.sparse_evil.csc", "csc_matrix") + b".",
        _name("numpy", "load") + b".",
        _name("builtins", "type") + b".",
        _name("functools", "partial") + b".",
        b"\x8c\x05posix\x8c\x06system\x93.",
        b"NN\x93.",
    ],
)
def test_crafted_requests_are_rejected(data):
    with pytest.raises(UnsafePickleError):
        _load(data)


@pytest.mark.parametrize(
    "data",
    [
        _object_scalar(pickle.dumps(_Call(os.system, "touch /tmp/should_not_be_there"))),
        # A state, an attribute or a call of something that is only a name.
        _name("numpy.core.multiarray", "_reconstruct") + b"}S'__code__'\nNsb.",
        _name("chumpy.ch", "Ch") + b"(N}S'__call__'\nNstb.",
        _name("chumpy.ch", "Ch") + b"(S'x'\ntR.",
        _name("chumpy.ch", "Ch") + b"(S'x'\nt\x81.",
        _name("numpy", "ndarray") + b"(I99999999\nt\x81.",
        _name("numpy", "ndarray") + b"(I99999999\ntR.",
        _name("builtins", "bytearray") + b"(I99999999999\ntR.",
        _name("builtins", "bytes") + b"(I99999999999\ntR.",
        _name("builtins", "object") + b")R.",
        _name("_codecs", "encode") + b"(V\nVrot13\ntR.",
        _name("_codecs", "encode") + b"(V\nVunicode_escape\ntR.",
        _name("numpy", "dtype") + b"(S'f8,f8'\ntR.",
        _name("numpy", "dtype") + b"(S'V1000000000'\ntR.",
        _name("numpy", "dtype") + b"(" + _name("numpy", "ndarray") + b"tR.",
        _name("copyreg", "_reconstructor") + b"(" + _name("numpy", "ndarray") + _name("builtins", "object") + b"NtR.",
        b"S'text'\nS'args'\nR.",
        b"](NR.",
        b"]}S'a'\nNsb.",
        b"}]Ns.",
        b"}(NNNu.",
        b"}}Ns.",
        b"I1\nNa.",
        b"t.",
        b"(.",
        b"(\x85.",
        b"(q\x00.",
        b"h\x05.",
        b"0.",
        b"",
        b".",
        b"N",
        b"\x80\x63N.",
        b"\xff\x00garbage",
        b"PK\x03\x04 a zip",
        b"L" + b"9" * 5000 + b"L\n.",
        b"I12x\n.",
        b"F1.0.0\n.",
        b"F" + b"x" * 9999 + b"\n.",
        b"S'no end\n.",
        b"T\xff\xff\xff\xff.",
        b"B\xff\xff\xff\x7fshort.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fshort.",
        b"\x8b\xff\xff\xff\x7f1.",
        b"X\x02\x00\x00\x00\xff\xfe.",
        b"V\\ud8\n.",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\xff",
        b"(" * 100_000 + b".",
        b")" + b"\x85" * 100_000 + b".",
        b"]" + b"q\x00h\x00a.",
        b"}" + b")" + b"\x85" * 100_000 + b"Ns.",
    ],
)
def test_damaged_and_crafted_bytes_are_reported(data):
    with pytest.raises((TrackFileError, UnsafePickleError), match=r"the stream|nothing was executed") as caught:
        _load(data)
    assert len(str(caught.value)) < 500
    assert not os.path.exists("/tmp/should_not_be_there")


def _crafted_array(state: bytes) -> bytes:
    start = _name("numpy.core.multiarray", "_reconstruct") + b"(" + _name("numpy", "ndarray") + b"(I0\ntS'b'\ntR"
    return start + b"(" + state + b"tb."


_F8 = _name("numpy", "dtype") + b"(S'f8'\nI0\nI1\ntR"


@pytest.mark.parametrize(
    "state",
    [
        b"I1\n(I1000000000\nI1000000000\nt" + _F8 + b"I00\nS'" + b"a" * 16 + b"'\n",
        b"I1\n(I-1\nt" + _F8 + b"I00\nS'" + b"a" * 8 + b"'\n",
        b"I1\n(I3\nt" + _F8 + b"I00\nS'" + b"a" * 20 + b"'\n",
        b"I1\n(L4611686018427387905L\nI4\nt" + _F8 + b"I00\nS'" + b"a" * 32 + b"'\n",
        b"I1\n(" + b"I1\n" * 65 + b"t" + _F8 + b"I00\nS'" + b"a" * 8 + b"'\n",
        b"I1\n(I1\nt" + _F8 + b"I00\nN",
        b"I1\n(I1\ntNI00\nS'a'\n",
        b"I1\n(S'a'\nt" + _F8 + b"I00\nS'" + b"a" * 8 + b"'\n",
        b"N",
        # A shape that would take forever to print: 2 ** 60 items by doubling.
        b"I1\n(" + b")" + b"2\x86" * 60 + b"t" + _F8 + b"I00\nS'" + b"a" * 8 + b"'\n",
        # A type code that would fill the message.
        b"I1\n(I1\nt" + _name("numpy", "dtype") + b"(S'" + b"f" * 9999 + b"'\ntRI00\nS'" + b"a" * 8 + b"'\n",
    ],
)
def test_inconsistent_array_states_are_rejected(state):
    with pytest.raises(TrackFileError) as caught:
        _load(_crafted_array(state))
    assert len(str(caught.value)) < 500


@pytest.mark.slow
def test_pickle_bombs_use_little_memory():
    text = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x00"
    encode = _name("_codecs", "encode") + b"q\x01" + b"Vlatin1\nq\x02"
    bombs = [
        b"N" + b"r\xff\xff\xff\xff" + b".",  # a memo number for which the C unpickler allocates an array
        b"]" + b"\x8f" * (1 << 20) + b".",  # a million empty sets
        b"](" + text + encode + b"h\x01h\x00h\x02\x86R" * 2000 + b"e.",  # one string, encoded 2000 times
        b"B\xff\xff\xff\xff",
    ]
    for bomb in bombs:
        tracemalloc.start()
        try:
            _load(bomb, max_bytes=8 << 20)
        except TrackFileError:
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 << 20


@pytest.mark.parametrize("cut", [1, 10, 100, 500, -1])
def test_truncated_files_raise_the_callers_error(tmp_path, cut):
    path = tmp_path / "body.pkl"
    path.write_bytes(pickle.dumps({"a": np.arange(100.0), "b": "text"})[:cut])
    with pytest.raises(BodyError, match=r"body\.pkl"):
        load_pickle(path, error=BodyError)


@pytest.mark.filterwarnings("ignore:invalid .*escape sequence:DeprecationWarning")
def test_random_damage_raises_only_the_given_error(python2_pickle):
    good = pickle.dumps({"a": [np.arange(6.0), (1, "x", b"y")], "b": {1.5}}, 4)
    good_text = python2_pickle({"a": np.arange(6.0), "b": "text"}, 0)
    for data in (good, good_text):
        for _ in range(2000):
            damaged = bytearray(data)
            for place in RNG.integers(0, len(data), RNG.integers(1, 4)):
                damaged[place] = RNG.integers(0, 256)
            try:
                _load(bytes(damaged), max_bytes=1 << 16)
            except (TrackFileError, UnsafePickleError):
                pass


def test_too_large_and_missing_files_are_reported(tmp_path):
    path = tmp_path / "large.pkl"
    with path.open("wb") as stream:
        stream.truncate(10 << 30)
    with pytest.raises(TrackFileError, match=r"large\.pkl"):
        load_pickle(path)
    with pytest.raises(TrackFileError, match="up to 10 bytes"):
        _load(pickle.dumps(np.arange(100)), max_bytes=10)
    with pytest.raises(InputMissingError, match=r"nowhere\.pkl"):
        load_pickle(tmp_path / "nowhere.pkl")


def test_reading_imports_nothing(tmp_path):
    path = tmp_path / "sparse.pkl"
    path.write_bytes(pickle.dumps(scipy.sparse.csc_matrix(np.eye(3)), 2))
    program = (
        "import sys; from core.io.pickle.load import load_pickle; from core.io.pickle.standins import as_array;"
        f"print(as_array(load_pickle({str(path)!r})).trace(), any(name.startswith('scipy') for name in sys.modules))"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)
    assert result.stdout.split() == ["3.0", "False"]


def _long(value: int) -> bytes:
    """Return the opcodes that push an integer."""
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return pickle.LONG1 + bytes([len(data)]) + data


_PRIME = sys.hash_info.modulus


@pytest.mark.parametrize(
    "keys",
    [
        [_long(number * _PRIME) for number in range(1, 4)],
        [_name("builtins", "complex") + struct.pack(">cdcd", b"G", -1000003.0 * n, b"G", n) + b"\x86R" for n in (1, 2)],
        [b"K\x01K\x02\x86", b"K\x02K\x01\x86"],
    ],
)
@pytest.mark.parametrize("container", [b"}(%bu.", b"\x8f(%b\x90.", b"(%b\x91.", b"(%bd."])
def test_keys_that_a_file_could_give_one_hash_are_rejected(keys, container):
    items = b"".join(key + (b"" if b"\x90" in container or b"\x91" in container else b"N") for key in keys)
    with pytest.raises(TrackFileError, match="as a key"):
        _load(container % items)


def test_a_list_that_many_lists_hold_is_looked_at_once(monkeypatch):
    shared = list(range(1000))
    nested: list = shared
    for _ in range(40):
        nested = [nested, shared]
    looked_at = []
    children = load._children
    monkeypatch.setattr(load, "_children", lambda value: looked_at.append(value) or children(value))
    assert _load(pickle.dumps(nested, 2))[1] == shared
    assert len(looked_at) == 41


def test_opcodes_of_later_pythons_are_rejected():
    known = {getattr(pickle, name)[0] for name in pickle.__all__ if isinstance(getattr(pickle, name), bytes)}
    assert known >= PlainUnpickler.dispatch.keys() == pickle._Unpickler.dispatch.keys()
    for code in set(range(256)) - known:
        with pytest.raises(TrackFileError, match="no pickle opcode"):
            _load(bytes([code]) + b".")


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        b"(" + b"N" * 200_000 + b"t.",
        b"(" + b"]" * 200_000 + b"t.",
        b"(" * 200_000,
        b"(" + b"\x8f" * 100_000 + b"t.",
        b"N" + b"\x94" * 200_000 + b".",
        b"](" + b"}NNs" * 50_000 + b"e.",
        b"(" + b"](Ne" * 50_000 + b"t.",
        b"(" + b")\x85" * 100_000 + b"l.",
        b"N" + b"".join(b"r" + struct.pack("<I", number) for number in range(40_000)) + b".",
        b"}(" + b"".join(b"M" + struct.pack("<H", number) + b"N" for number in range(13_000)) * 4 + b"u.",
        b"](" + (b"\x8c\xfe" + "\U0001f600".encode() + b"a" * 250) * 800 + b"e.",
    ],
)
def test_memory_is_charged_for_what_it_is(monkeypatch, data):
    monkeypatch.setattr(load, "_FREE_BYTES", 1 << 18)
    tracemalloc.start()
    try:
        _load(data)
    except TrackFileError as error:
        assert "memory" in str(error) or "invalid bytes" in str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (1 << 19) + 20 * len(data)
