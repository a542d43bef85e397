/* See drain.h. One thread stays in Drain.run: it reads a batch, takes its lines under the
   table's lock, and leaves an empty socket alone for a while, which its receive buffer
   bridges, so that the next wake-up finds many datagrams. */
#define _GNU_SOURCE
#include "drain.h"

#include "feed.h"

#include <errno.h>
#include <poll.h>
#include <structmember.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 64,
    FEW = 16,
    MANY = 32,
    DATAGRAM_BYTES = 65536,
    BACKLOG_BYTES = 16 * 1024 * 1024,
    EFFORT_UNREAD = 32,
    COURTESY_NANOSECONDS = 50000,
};

static const int64_t SECOND = 1000000000;

/* Buffers for one call of recvmmsg. */
typedef struct {
    char *bytes;
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
} Buffers;

/* Before each datagram of the backlog. */
typedef struct {
    int64_t period;
    size_t length;
} Mark;

/* What was read while other lines took long: a socket holds no more than some
   milliseconds of a million lines a second, and the first lines of a period, which ask
   Python for their slots, all come at once. */
typedef struct {
    char *bytes; /* touched only where it is needed */
    size_t start, end;
} Backlog;

typedef struct {
    PyObject_HEAD
    Table *table;
    PyObject *slow, *turn; /* turn(period) makes it the present one */
    int socket, wake;
    int64_t length; /* of a period, in seconds */
    double rest, longest_rest; /* seconds; 0: none, or none that is longer */
    int64_t resting;           /* for how long it rested last, in nanoseconds */
    atomic_bool is_over;
    long unread; /* effort since the socket was read last */
    int64_t datagrams, bytes, batches;
    double seen_at; /* when the last batch was read, in Unix seconds */
    Buffers now, then; /* what is being taken; what goes to the backlog */
    Backlog backlog;
} Drain;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

static int64_t period_of(const Drain *drain, int64_t moment)
{
    int64_t seconds = moment / SECOND;
    return seconds - seconds % drain->length;
}

/* Let those have the lock who wait for it: a mutex does not care who came first. */
static void give_way(Table *table)
{
    struct timespec pause = {0, COURTESY_NANOSECONDS};
    while (atomic_load(&table->wanted) > 0)
        nanosleep(&pause, NULL);
}

static void set_period(Drain *drain, Run *run, int64_t period)
{
    if (period == drain->table->period)
        return;
    run_come_in(run);
    PyObject *none = PyObject_CallFunction(drain->turn, "L", (long long)period);
    Py_XDECREF(none);
    if (none == NULL)
        run_note_error(run);
}

/* A batch, 0 where there is nothing; below 0 with errno where the socket is none. */
static int receive(Drain *drain, Buffers *buffers)
{
    int count;
    do {
        count = recvmmsg(drain->socket, buffers->messages, BATCH, MSG_DONTWAIT, NULL);
    } while (count < 0 && errno == EINTR);
    if (count >= 0)
        return count;
    /* Others are of one datagram, such as one that a sender's host refused. */
    return errno == EBADF || errno == ENOTSOCK || errno == EINVAL || errno == EFAULT ? -1 : 0;
}

/* Read what waits, as far as there is room for it. */
static void fill_backlog(Drain *drain)
{
    Backlog *backlog = &drain->backlog;
    const size_t most = BATCH * (sizeof(Mark) + DATAGRAM_BYTES);
    int count = BATCH;
    while (count == BATCH && BACKLOG_BYTES - backlog->end >= most) {
        count = receive(drain, &drain->then);
        int64_t period = period_of(drain, now());
        for (int at = 0; at < count; at++) {
            Mark mark = {period, drain->then.messages[at].msg_len};
            memcpy(backlog->bytes + backlog->end, &mark, sizeof mark);
            backlog->end += sizeof mark;
            memcpy(backlog->bytes + backlog->end, drain->then.parts[at].iov_base, mark.length);
            backlog->end += mark.length;
        }
    }
}

/* While others are in: what is being taken may be in the backlog, so that its beginning
   stays where it is. */
static void fill_meanwhile(void *drain)
{
    fill_backlog(drain);
}

/* Let others have the lock, the gate and the GIL, if they want them. */
static void mind_others(Drain *drain, Run *run, bool is_enough)
{
    Table *table = drain->table;
    if (is_enough || (table->gate != NULL && atomic_load(&table->wanted) > 0)) {
        run->effort = 0;
        table_unlock(table);
        run_give_gil(run);
        give_way(table);
        table_lock(table);
    } else if (run->is_in && gate_is_wanted(table->gate)) {
        run_give_gil(run);
    }
}

/* Take the lines of a datagram. Whoever wants the lock, or the GIL, gets it where the slow
   path has taken long. */
static void take(Drain *drain, Run *run, const char *text, size_t length, int64_t period)
{
    long before = run->effort;
    set_period(drain, run, period);
    run_lines(run, text, length, false);
    drain->datagrams++;
    drain->bytes += (int64_t)length;
    drain->unread += run->effort - before;
    if (drain->unread >= EFFORT_UNREAD) {
        drain->unread = 0;
        if (drain->backlog.start == drain->backlog.end)
            drain->backlog.start = drain->backlog.end = 0;
        fill_backlog(drain);
        mind_others(drain, run, run->effort >= drain->table->enough);
    }
}

/* Take a batch, and all that was read meanwhile. */
static void take_batch(Drain *drain, Run *run, int count)
{
    Table *table = drain->table;
    Backlog *backlog = &drain->backlog;
    int64_t moment = now();
    int64_t period = period_of(drain, moment);
    give_way(table);
    table_lock(table);
    drain->seen_at = (double)moment / (double)SECOND;
    drain->batches++;
    for (int at = 0; at < count; at++) {
        struct mmsghdr *message = &drain->now.messages[at];
        take(drain, run, drain->now.parts[at].iov_base, message->msg_len, period);
    }
    while (backlog->start < backlog->end) {
        Mark mark;
        memcpy(&mark, backlog->bytes + backlog->start, sizeof mark);
        const char *text = backlog->bytes + backlog->start + sizeof mark;
        backlog->start += sizeof mark + mark.length;
        take(drain, run, text, mark.length, mark.period);
    }
    table_unlock(table);
    run_give_gil(run);
    run->effort = drain->unread = 0;
}

/* How long the next rest is, as gather.py has it, where the last one gathered so many. */
static int64_t next_rest(const Drain *drain, int gathered)
{
    int64_t shortest = (int64_t)(drain->rest * (double)SECOND), rest = drain->resting;
    int64_t longest = (int64_t)(drain->longest_rest * (double)SECOND);
    if (gathered < FEW)
        rest *= 2;
    else if (gathered > MANY)
        rest /= 2;
    rest = rest > longest ? longest : rest;
    return rest < shortest ? shortest : rest;
}

/* Until there may be something to read, or this is over. */
static void wait_for_more(Drain *drain, int gathered)
{
    struct pollfd both[] = {
        {.fd = drain->wake, .events = POLLIN},
        {.fd = drain->socket, .events = POLLIN},
    };
    int64_t rest = 0, moment = now(), period = period_of(drain, moment);
    if (gathered > 0)
        rest = drain->resting = next_rest(drain, gathered);
    /* No rest reaches beyond a period's end: what comes before it belongs before it. */
    if (period_of(drain, moment + rest) != period)
        rest = (int64_t)(drain->rest * (double)SECOND);
    if (rest > 0 && period_of(drain, moment + rest) == period) {
        struct timespec time = {rest / SECOND, rest % SECOND};
        ppoll(both, 1, &time, NULL);
    } else {
        ppoll(both, 2, NULL, NULL);
    }
}

static PyObject *drain_run(PyObject *self, PyObject *Py_UNUSED(none))
{
    Drain *drain = (Drain *)self;
    Run run = {
        .table = drain->table, .slow = drain->slow, .meanwhile = {fill_meanwhile, drain}};
    int count = 0, gathered = 0;
    run_give_gil(&run);
    while (!atomic_load(&drain->is_over) && run.error == NULL) {
        count = receive(drain, &drain->now);
        if (count < 0)
            break;
        if (count > 0)
            take_batch(drain, &run, count);
        gathered += count;
        if (count < BATCH && run.error == NULL) {
            wait_for_more(drain, gathered);
            gathered = 0;
        }
    }
    int error = errno;
    run_take_gil(&run);
    if (run.error != NULL)
        return run_raise(&run);
    if (count < 0) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

static PyObject *drain_stop(PyObject *self, PyObject *Py_UNUSED(none))
{
    Drain *drain = (Drain *)self;
    atomic_store(&drain->is_over, true);
    uint64_t one = 1;
    if (write(drain->wake, &one, sizeof one) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static bool are_made(Buffers *buffers)
{
    buffers->bytes = PyMem_RawMalloc((size_t)BATCH * DATAGRAM_BYTES);
    for (int at = 0; buffers->bytes != NULL && at < BATCH; at++) {
        buffers->parts[at].iov_base = buffers->bytes + (size_t)at * DATAGRAM_BYTES;
        buffers->parts[at].iov_len = DATAGRAM_BYTES;
        buffers->messages[at].msg_hdr.msg_iov = &buffers->parts[at];
        buffers->messages[at].msg_hdr.msg_iovlen = 1;
    }
    return buffers->bytes != NULL;
}

static PyObject *drain_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    static char *words[] = {"table", "socket", "period_seconds", "slow", "turn", NULL};
    PyObject *table, *slow, *turn;
    int socket;
    long long length;
    if (!PyArg_ParseTupleAndKeywords(args, names, "O!iLOO:Drain", words, &TableType, &table,
                                     &socket, &length, &slow, &turn))
        return NULL;
    if (length <= 0) {
        PyErr_SetString(PyExc_ValueError, "a period has no length");
        return NULL;
    }
    Drain *drain = (Drain *)type->tp_alloc(type, 0);
    if (drain == NULL)
        return NULL;
    drain->wake = -1;
    drain->table = (Table *)Py_NewRef(table);
    drain->slow = Py_NewRef(slow);
    drain->turn = Py_NewRef(turn);
    drain->socket = socket;
    drain->length = length;
    drain->backlog.bytes = PyMem_RawMalloc(BACKLOG_BYTES);
    if (drain->backlog.bytes == NULL || !are_made(&drain->now) || !are_made(&drain->then)) {
        Py_DECREF(drain);
        return PyErr_NoMemory();
    }
    drain->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (drain->wake < 0) {
        Py_DECREF(drain);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return (PyObject *)drain;
}

static int drain_traverse(PyObject *self, visitproc visit, void *arg)
{
    Drain *drain = (Drain *)self;
    Py_VISIT(drain->table);
    Py_VISIT(drain->slow);
    Py_VISIT(drain->turn);
    return 0;
}

static int drain_clear(PyObject *self)
{
    Drain *drain = (Drain *)self;
    Py_CLEAR(drain->table);
    Py_CLEAR(drain->slow);
    Py_CLEAR(drain->turn);
    return 0;
}

static void drain_dealloc(PyObject *self)
{
    Drain *drain = (Drain *)self;
    PyObject_GC_UnTrack(self);
    drain_clear(self);
    PyMem_RawFree(drain->now.bytes);
    PyMem_RawFree(drain->then.bytes);
    PyMem_RawFree(drain->backlog.bytes);
    if (drain->wake >= 0)
        close(drain->wake);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef drain_methods[] = {
    {"run", drain_run, METH_NOARGS, "Read and take until somebody calls stop."},
    {"stop", drain_stop, METH_NOARGS, "Have run return; what is not read stays."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef drain_fields[] = {
    {"rest", T_DOUBLE, offsetof(Drain, rest), 0, "Of an empty socket, in seconds."},
    {"longest_rest", T_DOUBLE, offsetof(Drain, longest_rest), 0,
     "Where a rest gathers little, in seconds."},
    {"datagrams", T_LONGLONG, offsetof(Drain, datagrams), READONLY, "Taken so far."},
    {"received_bytes", T_LONGLONG, offsetof(Drain, bytes), READONLY, "In those."},
    {"batches", T_LONGLONG, offsetof(Drain, batches), READONLY, "In which they came."},
    {"seen_at", T_DOUBLE, offsetof(Drain, seen_at), READONLY, "Unix seconds; 0: never."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject DrainType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "relay.rollup._native.Drain",
    .tp_doc = "Reads a bound UDP socket into a table.",
    .tp_basicsize = sizeof(Drain),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = drain_new,
    .tp_dealloc = drain_dealloc,
    .tp_traverse = drain_traverse,
    .tp_clear = drain_clear,
    .tp_methods = drain_methods,
    .tp_members = drain_fields,
};

int drain_setup(PyObject *module)
{
    return PyModule_AddType(module, &DrainType);
}
