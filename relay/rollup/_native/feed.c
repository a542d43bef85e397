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

void run_come_in(Run *run)
{
    Gate *gate = run->table->gate;
    run->lines_since = 0;
    if (gate != NULL && !run->is_in) {
        run_give_gil(run);
        gate_lock(gate, run->meanwhile);
        run->is_in = true;
    }
    run_take_gil(run);
}

static void go_out(Run *run)
{
    if (run->is_in) {
        run->is_in = false;
        gate_unlock(run->table->gate);
    }
}

void run_give_gil(Run *run)
{
    go_out(run);
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
    run_come_in(run);
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
    run_come_in(run);
    PyObject *weight = PyFloat_FromDouble(entry->weight);
    PyObject *pair = NULL;
    if (weight != NULL)
        pair = PyObject_CallFunctionObjArgs(table->again, entry->series, weight, NULL);
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
static void fold(Run *run, Entry *entry, PyObject *method)
{
    run_take_gil(run);
    PyObject *none = PyObject_CallMethodNoArgs(entry->slot, method);
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
    Set *set = (Set *)entry->slot;
    if (members->length <= set->most)
        return true;
    if (set->registers != NULL && PyByteArray_Check(set->registers))
        members_fold(members, (unsigned char *)PyByteArray_AS_STRING(set->registers));
    else
        fold(run, entry, run->table->trim_name);
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
        if (table->gate == NULL) {
            gauge_take(entry->target, value);
            break;
        }
        gauge_lock(entry->target);
        gauge_take(entry->target, value);
        gauge_unlock(entry->target);
        break;
    case LANE: {
        if (!lane_append(entry->target, value))
            return false;
        table->taken[entry->index]++;
        Timer *timer = (Timer *)entry->slot;
        if (--timer->room <= 0 && !timer_fold(timer))
            fold(run, entry, run->table->fold_name);
        return true;
    }
    default:
        table->ignored[entry->index]++;
        return true;
    }
    table->taken[entry->index]++;
    return true;
}

/* A line, cut where it has its first colon and its first bar behind that. */
typedef struct {
    const char *text, *value, *form; /* form: NULL where it has not both */
    size_t length;
    uint64_t hash;
} Line;

static void cut(Line *line)
{
    const char *end = line->text + line->length;
    const char *colon = memchr(line->text, ':', line->length);
    line->form = NULL;
    if (colon == NULL)
        return;
    const char *bar = memchr(colon, '|', (size_t)(end - colon));
    if (bar == NULL)
        return;
    line->value = colon + 1;
    line->form = bar + 1;
    line->hash = table_hash(line->text, (size_t)(colon - line->text), line->form,
                            (size_t)(end - line->form));
}

static bool is_taken(Run *run, const Line *line)
{
    if (line->form == NULL)
        return false;
    Entry *entry = table_find(run->table, line->hash, line->text,
                              (size_t)(line->value - 1 - line->text), line->form,
                              (size_t)(line->text + line->length - line->form));
    if (entry == NULL)
        return false;
    size_t length = (size_t)(line->form - 1 - line->value);
    return entry->operation == SET ? is_member_added(run, entry, line->value, length)
                                   : is_number_added(run, entry, line->value, length);
}

enum { TOGETHER = 32, LINES_IN = 32 };

/* Cut some lines, and have what they will want fetched from memory meanwhile: most of the
   time of a look-up is waiting for that. Gives how many; at is where the rest begins. */
static int next_lines(const Table *table, const char *text, size_t length, size_t *at,
                      Line *lines)
{
    int count = 0;
    while (*at < length && count < TOGETHER) {
        Line *line = &lines[count];
        line->text = text + *at;
        const char *feed = memchr(line->text, '\n', length - *at);
        line->length = feed == NULL ? length - *at : (size_t)(feed - line->text);
        *at += line->length + 1;
        if (line->length == 0)
            continue;
        cut(line);
        if (line->form != NULL)
            table_fetch_place(table, line->hash);
        count++;
    }
    for (int each = 0; each < count; each++)
        if (lines[each].form != NULL)
            table_fetch_entry(table, lines[each].hash);
    for (int each = 0; each < count; each++)
        if (lines[each].form != NULL)
            table_fetch_target(table, lines[each].hash);
    return count;
}

/* Nobody else is kept out by lines that need no Python. */
static void mind_others(Run *run, int lines)
{
    run->lines_since += lines;
    if (run->lines_since <= LINES_IN)
        return;
    if (run->meanwhile.call == NULL)
        go_out(run);
    else
        run_give_gil(run);
}

size_t run_lines(Run *run, const char *text, size_t length, bool is_bounded)
{
    Line lines[TOGETHER];
    size_t at = 0;
    while (at < length) {
        int count = next_lines(run->table, text, length, &at, lines);
        for (int each = 0; each < count; each++) {
            run->table->lines++;
            if (!is_taken(run, &lines[each]))
                slow(run, lines[each].text, lines[each].length);
            if (is_bounded && run->effort >= run->table->enough) {
                size_t end = (size_t)(lines[each].text - text) + lines[each].length + 1;
                return end < length ? end : length;
            }
        }
        if (run->is_in)
            mind_others(run, count);
    }
    return length;
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
    go_out(&run);
    PyBuffer_Release(&lines);
    if (run.error != NULL)
        return run_raise(&run);
    return PyLong_FromSize_t(at);
}
