/* See feed.h. Nothing here knows the language beyond the one form that is recognised,
   name:value|form; whatever is not sure to be that goes to Python. */
#include "feed.h"

#include "members.h"
#include "number.h"
#include "slots.h"

void run_take_gil(Run *run)
{
    if (run->state != NULL) {
        PyEval_RestoreThread(run->state);
        run->state = NULL;
    }
}

void run_give_gil(Run *run)
{
    if (run->state == NULL)
        run->state = PyEval_SaveThread();
}

void run_note_error(Run *run)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace != NULL)
        PyException_SetTraceback(value, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    if (run->error == NULL)
        run->error = value;
    else
        Py_XDECREF(value);
}

PyObject *run_raise(Run *run)
{
    PyErr_SetObject((PyObject *)Py_TYPE(run->error), run->error);
    Py_CLEAR(run->error);
    return NULL;
}

static void slow(Run *run, const char *line, size_t length)
{
    run_take_gil(run);
    PyObject *bytes = PyBytes_FromStringAndSize(line, (Py_ssize_t)length);
    PyObject *cost = bytes == NULL ? NULL : PyObject_CallOneArg(run->slow, bytes);
    Py_XDECREF(bytes);
    long effort = cost == NULL ? -1 : PyLong_AsLong(cost);
    Py_XDECREF(cost);
    if (PyErr_Occurred()) {
        run_note_error(run);
        effort = 1;
    }
    run->effort += effort;
}

/* Ask for the slot of an entry again; whether there is one. */
static bool is_again(Run *run, Entry *entry)
{
    Table *table = run->table;
    if (entry->operation == IGNORED) {
        table_enter(table, entry);
        return true;
    }
    run_take_gil(run);
    PyObject *weight = PyFloat_FromDouble(entry->weight);
    PyObject *pair = NULL;
    if (weight != NULL)
        pair = PyObject_CallFunctionObjArgs(table->again, entry->named, weight, NULL);
    Py_XDECREF(weight);
    bool is_there = false;
    if (pair != NULL && PyTuple_Check(pair) && PyTuple_GET_SIZE(pair) == 2 &&
        table_point(entry, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)) == 0) {
        table_enter(table, entry);
        is_there = true;
    }
    Py_XDECREF(pair);
    if (PyErr_Occurred())
        run_note_error(run);
    run->effort++;
    return is_there;
}

/* A slot has more than it may hold: Python folds it. */
static void fold(Run *run, Entry *entry, const char *method)
{
    run_take_gil(run);
    PyObject *none = PyObject_CallMethod(entry->slot, method, NULL);
    Py_XDECREF(none);
    if (none == NULL)
        run_note_error(run);
    run->effort += run->table->folding;
}

static bool is_member(const char *text, size_t length)
{
    if (length == 0 || length > MEMBER_BYTES)
        return false;
    for (size_t at = 0; at < length; at++)
        if ((unsigned char)text[at] > 127 || text[at] == ':')
            return false;
    return true;
}

/* Whether an entry may be written through, now or because it was asked for again. */
static bool is_open(Run *run, Entry *entry)
{
    return entry->epoch == run->table->epoch || is_again(run, entry);
}

static bool is_member_added(Run *run, Entry *entry, const char *text, size_t length)
{
    if (!is_member(text, length) || !is_open(run, entry))
        return false;
    Members *members = entry->target;
    if (members_add(members, text, length) < 0)
        return false;
    run->table->taken[entry->index]++;
    if (members->length > ((Set *)entry->slot)->most)
        fold(run, entry, "trim");
    return true;
}

static bool is_number_added(Run *run, Entry *entry, const char *text, size_t length)
{
    Table *table = run->table;
    double value;
    /* The value first: a slot that is asked for again counts as one that has a value. */
    if (!number_read(text, length, entry->operation == COUNTER, &value) ||
        !is_open(run, entry))
        return false;
    switch (entry->operation) {
    case COUNTER: {
        Counter *counter = entry->target;
        counter->total += value * entry->weight;
        counter->count += entry->weight;
        break;
    }
    case GAUGE:
        gauge_take(entry->target, value);
        break;
    case LANE:
        if (!lane_append(entry->target, value))
            return false;
        table->taken[entry->index]++;
        if (--((Timer *)entry->slot)->room == 0)
            fold(run, entry, "fold");
        return true;
    default:
        table->ignored[entry->index]++;
        return true;
    }
    table->taken[entry->index]++;
    return true;
}

static bool is_taken(Run *run, const char *line, size_t length)
{
    const char *end = line + length;
    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return false;
    const char *value = colon + 1;
    const char *bar = memchr(value, '|', (size_t)(end - value));
    if (bar == NULL)
        return false;
    Entry *entry = table_find(run->table, line, (size_t)(colon - line), bar + 1,
                              (size_t)(end - bar - 1));
    if (entry == NULL)
        return false;
    size_t value_length = (size_t)(bar - value);
    return entry->operation == SET ? is_member_added(run, entry, value, value_length)
                                   : is_number_added(run, entry, value, value_length);
}

size_t run_lines(Run *run, const char *text, size_t length, bool is_bounded)
{
    size_t at = 0;
    while (at < length) {
        const char *line = text + at;
        const char *feed = memchr(line, '\n', length - at);
        size_t size = feed == NULL ? length - at : (size_t)(feed - line);
        at += size + 1;
        if (size == 0)
            continue;
        run->table->lines++;
        if (!is_taken(run, line, size))
            slow(run, line, size);
        if (is_bounded && run->effort >= run->table->enough)
            break;
    }
    return at < length ? at : length;
}

PyObject *table_feed(PyObject *self, PyObject *args)
{
    Table *table = (Table *)self;
    Py_buffer lines;
    PyObject *slow_path;
    if (!PyArg_ParseTuple(args, "y*O:feed", &lines, &slow_path))
        return NULL;
    Run run = {.table = table, .slow = slow_path};
    size_t at = run_lines(&run, lines.buf, (size_t)lines.len, true);
    PyBuffer_Release(&lines);
    if (run.error != NULL)
        return run_raise(&run);
    return PyLong_FromSize_t(at);
}
