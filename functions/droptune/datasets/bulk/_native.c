/* What plain.py does in Python, several times as fast. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* --- columns of texts ------------------------------------------------------------------------------------------- */

/* A list or tuple of texts, or NULL with TypeError set. */
static PyObject *
texts_of(PyObject *given)
{
    PyObject *texts = PySequence_Fast(given, "a sequence of texts is needed");
    if (texts == NULL) {
        return NULL;
    }
    PyObject **items = PySequence_Fast_ITEMS(texts);
    for (Py_ssize_t i = 0, n = PySequence_Fast_GET_SIZE(texts); i < n; i++) {
        if (!PyUnicode_Check(items[i])) {
            PyErr_Format(PyExc_TypeError, "a text is needed, not %.100s", Py_TYPE(items[i])->tp_name);
            Py_DECREF(texts);
            return NULL;
        }
    }
    return texts;
}

static PyObject *
lengths(PyObject *module, PyObject *given)
{
    PyObject *texts = texts_of(given);
    if (texts == NULL) {
        return NULL;
    }
    PyObject **items = PySequence_Fast_ITEMS(texts);
    Py_ssize_t n = PySequence_Fast_GET_SIZE(texts);
    PyObject *made = PyByteArray_FromStringAndSize(NULL, n * (Py_ssize_t)sizeof(int32_t));
    if (made != NULL) {
        int32_t *out = (int32_t *)PyByteArray_AS_STRING(made);
        for (Py_ssize_t i = 0; i < n; i++) {
            out[i] = (int32_t)PyUnicode_GET_LENGTH(items[i]);
        }
    }
    Py_DECREF(texts);
    return made;
}

static int
says_nothing(PyObject *text)
{
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    for (Py_ssize_t i = 0, n = PyUnicode_GET_LENGTH(text); i < n; i++) {
        if (!Py_UNICODE_ISSPACE(PyUnicode_READ(kind, data, i))) {
            return 0;
        }
    }
    return 1;
}

static PyObject *
blanks(PyObject *module, PyObject *given)
{
    PyObject *found = PyList_New(0), *texts = texts_of(given);
    Py_ssize_t n = texts == NULL || found == NULL ? -1 : PySequence_Fast_GET_SIZE(texts);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (says_nothing(PySequence_Fast_ITEMS(texts)[i])) {
            PyObject *position = PyLong_FromSsize_t(i);
            if (position == NULL || PyList_Append(found, position) < 0) {
                n = -1;
            }
            Py_XDECREF(position);
        }
    }
    Py_XDECREF(texts);
    if (n < 0) {
        Py_CLEAR(found);
    }
    return found;
}

/* XXH64 with seed 0, of xxHash by Yann Collet: github.com/Cyan4973/xxHash, doc/xxhash_spec.md. Numbers are read as this
machine orders their bytes: these hashes never leave it. */

static const uint64_t P1 = 0x9E3779B185EBCA87, P2 = 0xC2B2AE3D27D4EB4F, P3 = 0x165667B19E3779F9,
                      P4 = 0x85EBCA77C2B2AE63, P5 = 0x27D4EB2F165667C5;

static uint64_t
rotated(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t
round_of(uint64_t lane, uint64_t value)
{
    return rotated(lane + value * P2, 31) * P1;
}

static uint64_t
eight_bytes(const unsigned char *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static uint64_t
xxh64(const unsigned char *p, size_t size)
{
    const unsigned char *end = p + size;
    uint64_t hash = P5;
    if (size >= 32) {
        uint64_t lanes[4] = {P1 + P2, P2, 0, 0 - P1};
        for (; end - p >= 32; p += 32) {
            for (int i = 0; i < 4; i++) {
                lanes[i] = round_of(lanes[i], eight_bytes(p + 8 * i));
            }
        }
        hash = rotated(lanes[0], 1) + rotated(lanes[1], 7) + rotated(lanes[2], 12) + rotated(lanes[3], 18);
        for (int i = 0; i < 4; i++) {
            hash = (hash ^ round_of(0, lanes[i])) * P1 + P4;
        }
    }
    hash += size;
    for (; end - p >= 8; p += 8) {
        hash = rotated(hash ^ round_of(0, eight_bytes(p)), 27) * P1 + P4;
    }
    if (end - p >= 4) {
        uint32_t value;
        memcpy(&value, p, sizeof value);
        hash = rotated(hash ^ value * P1, 23) * P2 + P3;
        p += 4;
    }
    for (; p < end; p++) {
        hash = rotated(hash ^ *p * P5, 11) * P1;
    }
    hash = (hash ^ hash >> 33) * P2;
    hash = (hash ^ hash >> 29) * P3;
    return hash ^ hash >> 32;
}

static uint64_t
hash_of(PyObject *text)
{
    /* Equal texts have characters of one width: the least that holds them all. */
    return xxh64(PyUnicode_DATA(text), (size_t)PyUnicode_GET_LENGTH(text) * PyUnicode_KIND(text));
}

static PyObject *
hashes(PyObject *module, PyObject *given)
{
    PyObject *texts = texts_of(given);
    if (texts == NULL) {
        return NULL;
    }
    PyObject **items = PySequence_Fast_ITEMS(texts);
    Py_ssize_t n = PySequence_Fast_GET_SIZE(texts);
    PyObject *made = PyByteArray_FromStringAndSize(NULL, n * (Py_ssize_t)sizeof(uint64_t));
    if (made != NULL) {
        uint64_t *out = (uint64_t *)PyByteArray_AS_STRING(made);
        for (Py_ssize_t i = 0; i < n; i++) {
            out[i] = hash_of(items[i]);
        }
    }
    Py_DECREF(texts);
    return made;
}

/* A text that occurs `times`, 0 for an empty place of the table. */
struct counted {
    uint64_t hash;
    PyObject *text;
    Py_ssize_t times;
};

static int
is_equal(PyObject *one, PyObject *other)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(one);
    int kind = PyUnicode_KIND(one);
    return length == PyUnicode_GET_LENGTH(other) && kind == (int)PyUnicode_KIND(other)
           && memcmp(PyUnicode_DATA(one), PyUnicode_DATA(other), (size_t)length * (size_t)kind) == 0;
}

static PyObject *
counts(PyObject *module, PyObject *given)
{
    PyObject *texts = texts_of(given);
    if (texts == NULL) {
        return NULL;
    }
    PyObject **items = PySequence_Fast_ITEMS(texts), *made = NULL;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(texts);
    size_t places = 16;
    while (places < 2 * (size_t)n) {
        places *= 2;
    }
    struct counted *table = PyMem_Calloc(places, sizeof *table);
    if (table == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        uint64_t hash = hash_of(items[i]);
        size_t at = hash & (places - 1);
        while (table[at].times && (table[at].hash != hash || !is_equal(table[at].text, items[i]))) {
            at = (at + 1) & (places - 1);
        }
        table[at].hash = hash;
        table[at].text = items[i];
        table[at].times++;
    }
    made = PyDict_New();
    for (size_t at = 0; made != NULL && at < places; at++) {
        if (table[at].times) {
            PyObject *times = PyLong_FromSsize_t(table[at].times);
            if (times == NULL || PyDict_SetItem(made, table[at].text, times) < 0) {
                Py_CLEAR(made);
            }
            Py_XDECREF(times);
        }
    }
done:
    PyMem_Free(table);
    Py_DECREF(texts);
    return made;
}

/* --- blocks of bytes -------------------------------------------------------------------------------------------- */

static PyObject *
line_ends(PyObject *module, PyObject *given)
{
    Py_buffer block;
    if (PyObject_GetBuffer(given, &block, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    Py_ssize_t room = block.len / 256 + 16, n = 0;
    PyObject *made = PyByteArray_FromStringAndSize(NULL, room * (Py_ssize_t)sizeof(int64_t));
    const char *start = block.buf, *end = start + block.len, *p = start;
    while (made != NULL && p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        if (n == room) {
            room *= 2;
            if (PyByteArray_Resize(made, room * (Py_ssize_t)sizeof(int64_t)) < 0) {
                Py_CLEAR(made);
                break;
            }
        }
        ((int64_t *)PyByteArray_AS_STRING(made))[n++] = p++ - start;
    }
    if (made != NULL && PyByteArray_Resize(made, n * (Py_ssize_t)sizeof(int64_t)) < 0) {
        Py_CLEAR(made);
    }
    PyBuffer_Release(&block);
    return made;
}

static int
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Whether the colon at `p`, on a line that starts at `start`, follows the end of a text. A text that begins with a colon
looks the same. */
static int
ends_key(const char *start, const char *p)
{
    do {
        p--;
    } while (p >= start && is_space(*p));
    if (p < start || *p != '"') {
        return 0;
    }
    const char *mark = p;
    while (p > start && p[-1] == '\\') {
        p--;
    }
    return (mark - p) % 2 == 0;
}

static PyObject *
keys_of_each(PyObject *module, PyObject *arguments)
{
    Py_buffer block, ends;
    if (!PyArg_ParseTuple(arguments, "y*y*", &block, &ends)) {
        return NULL;
    }
    Py_ssize_t n = ends.len / (Py_ssize_t)sizeof(int64_t);
    PyObject *made = PyByteArray_FromStringAndSize(NULL, n * (Py_ssize_t)sizeof(int64_t));
    const char *start = block.buf;
    for (Py_ssize_t i = 0; made != NULL && i < n; i++) {
        const char *end = (const char *)block.buf + ((const int64_t *)ends.buf)[i], *p = start;
        int64_t keys = 0;
        while (p < end && (p = memchr(p, ':', (size_t)(end - p))) != NULL) {
            keys += ends_key(start, p++);
        }
        ((int64_t *)PyByteArray_AS_STRING(made))[i] = keys;
        start = end + 1;
    }
    PyBuffer_Release(&block);
    PyBuffer_Release(&ends);
    return made;
}

/* ---------------------------------------------------------------------------------------------------------------- */

static PyMethodDef functions[] = {
    {"lengths", lengths, METH_O, "The characters of each text, 32-bit numbers in a bytearray."},
    {"blanks", blanks, METH_O, "The positions of the texts that are empty or white space only."},
    {"hashes", hashes, METH_O, "A hash of each text, 64-bit numbers in a bytearray."},
    {"counts", counts, METH_O, "How often each text occurs."},
    {"line_ends", line_ends, METH_O, "The positions of the line breaks, 64-bit numbers in a bytearray."},
    {"keys_of_each", keys_of_each, METH_VARARGS, "The keys of each line, 64-bit numbers in a bytearray."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_native", .m_size = 0, .m_methods = functions, .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
