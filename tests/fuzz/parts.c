/* A target of libFuzzer: the native parts alone, each against the plainest way to do it.

   The first byte says which part gets the others. Numbers are those that Python's own
   float() would make of the text; lines are cut by a loop over bytes; members are found
   by comparing them one by one; of spellings an array says which a table still knows. */
#include "embedded.h"

#include "blake2b.h"
#include "feed.h"
#include "members.h"
#include "number.h"
#include "slots.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST_NUMBER = 350, MOST_MEMBERS = 400, MOST_LINES = 4096 };

typedef struct {
    const char *text;
    size_t length;
} Text;

static bool is_same(Text one, Text other)
{
    return one.length == other.length && memcmp(one.text, other.text, one.length) == 0;
}

/* Digits with at most one dot among them, by what number.h says of them. */
static bool is_number(Text text)
{
    size_t dots = 0;
    for (size_t at = 0; at < text.length; at++) {
        dots += text.text[at] == '.';
        if (text.text[at] != '.' && (text.text[at] < '0' || text.text[at] > '9'))
            return false;
    }
    return dots <= 1 && dots < text.length;
}

static bool read_plainly(Text text, bool may_be_negative, double *value)
{
    bool is_negative = may_be_negative && text.length > 0 && text.text[0] == '-';
    text.text += is_negative;
    text.length -= is_negative;
    if (text.length > LONGEST_NUMBER || !is_number(text))
        return false;
    char copy[LONGEST_NUMBER + 1] = {0};
    memcpy(copy, text.text, text.length);
    *value = PyOS_string_to_double(copy, NULL, NULL);
    if (*value == -1.0 && PyErr_Occurred())
        found_defect("float() does not take what is a number", text.text, text.length);
    if (!(*value < 1e200))
        return false;
    *value = is_negative ? -*value : *value;
    return true;
}

static void try_number(Text text, bool may_be_negative)
{
    double value = 0.0, plain = 0.0;
    bool is_read = number_read(text.text, text.length, may_be_negative, &value);
    if (is_read != read_plainly(text, may_be_negative, &plain))
        found_defect(is_read ? "number_read takes it, float() or the rules do not"
                             : "number_read refuses what it should take",
                     text.text, text.length);
    if (is_read && memcmp(&value, &plain, sizeof value) != 0)
        found_defect("number_read gives other bits than float()", text.text, text.length);
}

/* What the slow path was shown, in order. */
static Text shown[MOST_LINES];
static size_t shown_count;
static PyObject *shown_lines; /* owns their texts */
static long cost_of_line;

static PyObject *show(PyObject *Py_UNUSED(self), PyObject *line)
{
    if (shown_count == MOST_LINES || PyList_Append(shown_lines, line) < 0)
        found_defect("the slow path is shown more lines than there are", "", 0);
    shown[shown_count++] = (Text){PyBytes_AS_STRING(line), (size_t)PyBytes_GET_SIZE(line)};
    return PyLong_FromLong(cost_of_line);
}

static PyMethodDef show_method = {"show", show, METH_O, NULL};

/* A line as name, value and form; whether it has all three. */
static bool cut_plainly(Text line, Text *name, Text *value, Text *form)
{
    size_t colon = 0, bar;
    while (colon < line.length && line.text[colon] != ':')
        colon++;
    for (bar = colon; bar < line.length && line.text[bar] != '|';)
        bar++;
    if (bar >= line.length)
        return false;
    *name = (Text){line.text, colon};
    *value = (Text){line.text + colon + 1, bar - colon - 1};
    *form = (Text){line.text + bar + 1, line.length - bar - 1};
    return true;
}

/* The one spelling that the table knows, and what was done with its values. */
typedef struct {
    bool is_there;
    Text name, form;
    long long taken;
    double total;
} Known;

static bool is_known(Known *known, Text line)
{
    Text name, value, form;
    double number;
    if (!known->is_there || !cut_plainly(line, &name, &value, &form) ||
        !is_same(name, known->name) || !is_same(form, known->form) ||
        !read_plainly(value, true, &number))
        return false;
    known->taken++;
    known->total += number;
    return true;
}

static void expect_lines(Text all, Known *known)
{
    size_t at = 0, start = 0, expected = 0;
    for (; at <= all.length; at++) {
        if (at < all.length && all.text[at] != '\n')
            continue;
        Text line = {all.text + start, at - start};
        start = at + 1;
        if (line.length == 0 || is_known(known, line))
            continue;
        if (expected >= shown_count || !is_same(shown[expected], line))
            found_defect("a line is cut elsewhere than at its ends", line.text, line.length);
        expected++;
    }
    if (expected != shown_count)
        found_defect("the slow path is shown lines that nobody sent", all.text, all.length);
}

static PyObject *table_with(Counter **counter, Text all, Known *known)
{
    PyObject *table = need(PyObject_CallFunction((PyObject *)&TableType, "nllO",
                                                 (Py_ssize_t)4, 300L, 20L, Py_None));
    *counter = (Counter *)need(PyObject_CallNoArgs((PyObject *)&CounterType));
    const char *end = memchr(all.text, '\n', all.length);
    Text value, first = {all.text, end == NULL ? all.length : (size_t)(end - all.text)};
    known->is_there = cut_plainly(first, &known->name, &value, &known->form);
    if (known->is_there)
        Py_DECREF(need(PyObject_CallMethod(
            table, "learn", "y#y#iidOOO", known->name.text, (Py_ssize_t)known->name.length,
            known->form.text, (Py_ssize_t)known->form.length, COUNTER, 0, 1.0,
            (PyObject *)*counter, (PyObject *)*counter, Py_None)));
    return table;
}

static void try_lines(Text all, bool is_bounded, long cost)
{
    static PyObject *slow;
    if (slow == NULL)
        slow = need(PyCFunction_New(&show_method, NULL));
    Known known = {0};
    Counter *counter;
    PyObject *table = table_with(&counter, all, &known);
    shown_lines = need(PyList_New(0));
    shown_count = 0;
    cost_of_line = cost;
    for (size_t at = 0; at < all.length;) {
        Run run = {.table = (Table *)table, .slow = slow};
        size_t done = run_lines(&run, all.text + at, all.length - at, is_bounded);
        if (run.error != NULL || done == 0 || done > all.length - at)
            found_defect("taking lines does not get on", all.text + at, all.length - at);
        at += done;
    }
    expect_lines(all, &known);
    if (((Table *)table)->taken[0] != known.taken || counter->total != known.total)
        found_defect("a known line is counted otherwise than it says", all.text, all.length);
    Py_DECREF(shown_lines);
    Py_DECREF(table);
    Py_DECREF((PyObject *)counter);
}

static void expect_registers(const Text *members, size_t count, const unsigned char *found)
{
    static unsigned char plain[1 << 14];
    memset(plain, 0, sizeof plain);
    for (size_t each = 0; each < count; each++) {
        uint64_t digest = blake2b_8(members[each].text, members[each].length);
        unsigned char rank = 1;
        while (rank <= 50 && !(digest >> (50 - rank) & 1))
            rank++;
        if (plain[digest >> 50] < rank)
            plain[digest >> 50] = rank;
    }
    if (memcmp(plain, found, sizeof plain) != 0)
        found_defect("folded members leave other registers", "", 0);
}

/* Each member behind a byte with its length. */
static void try_members(Text all)
{
    static Text known[MOST_MEMBERS];
    static unsigned char registers[1 << 14];
    size_t count = 0, at = 0;
    Members *members = (Members *)need(PyObject_CallNoArgs((PyObject *)&MembersType));
    while (at < all.length && count < MOST_MEMBERS) {
        size_t length = (unsigned char)all.text[at++] % (MEMBER_BYTES + 1);
        if (length > all.length - at)
            length = all.length - at;
        Text member = {all.text + at, length};
        at += length;
        size_t each = 0;
        while (each < count && !is_same(known[each], member))
            each++;
        if (each == count)
            known[count] = member;
        if (members_add(members, member.text, length) != (each == count))
            found_defect("a member is new, or known, and should not be", member.text, length);
        count += each == count;
    }
    if ((size_t)members->length != count)
        found_defect("members are miscounted", all.text, all.length);
    memset(registers, 0, sizeof registers);
    members_fold(members, registers);
    expect_registers(known, count, registers);
    Py_DECREF((PyObject *)members);
}

enum { MOST_NAMES = 1024, AT_ONCE = 40, MOST_DEEDS = 64, UNKNOWN = -9 };

/* A table and in which turn each name was used last, the names being numbers. */
typedef struct {
    PyObject *table, *again, *slow, *counter;
    int turn, used[MOST_NAMES];
} Spellings;

static PyObject *again(PyObject *pair, PyObject *Py_UNUSED(arguments))
{
    return Py_NewRef(pair);
}

static PyMethodDef again_method = {"again", again, METH_VARARGS, NULL};

static void spellings_make(Spellings *all)
{
    all->counter = need(PyObject_CallNoArgs((PyObject *)&CounterType));
    PyObject *pair = need(PyTuple_Pack(2, all->counter, all->counter));
    all->again = need(PyCFunction_New(&again_method, pair));
    all->slow = need(PyCFunction_New(&show_method, NULL));
    all->table = need(PyObject_CallFunction((PyObject *)&TableType, "nllO",
                                            (Py_ssize_t)(2 * MOST_NAMES), 300L, 20L,
                                            all->again));
    all->turn = 0;
    for (int each = 0; each < MOST_NAMES; each++)
        all->used[each] = UNKNOWN;
    Py_DECREF(pair);
}

static void spellings_drop(Spellings *all)
{
    Py_DECREF(all->table);
    Py_DECREF(all->again);
    Py_DECREF(all->slow);
    Py_DECREF(all->counter);
}

static void spellings_learn(Spellings *all, int one)
{
    char name[16];
    int length = snprintf(name, sizeof name, "%d", one);
    Py_DECREF(need(PyObject_CallMethod(all->table, "learn", "y#y#iidOOO", name,
                                       (Py_ssize_t)length, "c", (Py_ssize_t)1, COUNTER, 0,
                                       1.0, all->counter, all->counter, Py_None)));
    all->used[one] = all->turn;
}

static void spellings_use(Spellings *all, int one)
{
    char line[16];
    int length = snprintf(line, sizeof line, "%d:1|c", one);
    shown_count = 0;
    Run run = {.table = (Table *)all->table, .slow = all->slow};
    run_lines(&run, line, (size_t)length, false);
    bool is_known = all->used[one] != UNKNOWN;
    if (run.error != NULL || (shown_count == 0) != is_known)
        found_defect(is_known ? "a spelling is lost" : "a spelling comes back", line,
                     (size_t)length);
    if (is_known)
        all->used[one] = all->turn;
}

static void spellings_turn(Spellings *all)
{
    Py_DECREF(need(PyObject_CallMethod(all->table, "turn", NULL)));
    all->turn++;
}

static void spellings_sweep(Spellings *all)
{
    PyObject *more;
    do {
        more = need(PyObject_CallMethod(all->table, "sweep", NULL));
        Py_DECREF(more);
    } while (more == Py_True);
    Py_ssize_t left = 0;
    for (int each = 0; each < MOST_NAMES; each++) {
        if (all->turn - all->used[each] >= 2)
            all->used[each] = UNKNOWN;
        left += all->used[each] != UNKNOWN;
    }
    if (PyObject_Size(all->table) != left)
        found_defect("another number of spellings is left", "", 0);
}

/* Two bits of a byte say what is done, the others to which names. */
static void try_table(Text deeds)
{
    Spellings all;
    spellings_make(&all);
    shown_lines = need(PyList_New(0));
    for (size_t at = 0; at < deeds.length && at < MOST_DEEDS; at++) {
        int deed = deeds.text[at] & 3, first = ((unsigned char)deeds.text[at] >> 2) * 16;
        for (int one = first; deed < 2 && one < first + AT_ONCE && one < MOST_NAMES; one++)
            (deed == 0 ? spellings_learn : spellings_use)(&all, one);
        if (deed == 2)
            spellings_turn(&all);
        else if (deed == 3)
            spellings_sweep(&all);
    }
    for (int one = 0; one < MOST_NAMES; one++)
        spellings_use(&all, one);
    Py_DECREF(shown_lines);
    spellings_drop(&all);
}

int LLVMFuzzerInitialize(int *Py_UNUSED(count), char ***Py_UNUSED(words))
{
    start_python();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MOST_LINES)
        return 0;
    Text rest = {(const char *)data + 1, size - 1};
    switch (data[0] % 5) {
    case 0:
        try_number(rest, data[0] & 8);
        break;
    case 1:
        try_lines(rest, data[0] & 8, data[0] & 16 ? 1 : 150);
        break;
    case 2:
        try_members(rest);
        break;
    case 3:
        try_table(rest);
        break;
    default:
        for (size_t at = 0; at < rest.length; at++)
            try_number((Text){rest.text + at, rest.length - at}, data[0] & 8);
    }
    return 0;
}
