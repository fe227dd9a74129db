/* systemd: speaks to a service manager over D-Bus, by libsystemd's sd-bus, which is opened when the first asks for it.
 */
#include "kernel/systemd.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/library.h"
#include "format/gvariant.h"

#ifdef HAVE_SYSTEMD_SD_BUS_H
#include <systemd/sd-bus.h>

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER DESTINATION, "/org/freedesktop/systemd1", DESTINATION ".Manager"

enum { JOB_MS = 30000 };

#define BUS_CALLS(X)                                                                                                   \
	X(new)                                                                                                         \
	X(set_address) X(set_bus_client) X(start) X(open_system) X(open_user) X(flush_close_unref)                     \
		X(message_new_method_call) X(message_unref) X(message_append_basic) X(message_open_container)          \
			X(message_close_container) X(message_read) X(call) X(call_method) X(get_property_string)       \
				X(match_signal) X(slot_unref) X(process) X(wait) X(error_free)

static struct {
#define X(name) __typeof__(sd_bus_##name) *name;
	BUS_CALLS(X)
#undef X
} bus_calls;

static const struct library_symbol symbols[] = {
#define X(name) { "sd_bus_" #name, &bus_calls.name },
	BUS_CALLS(X)
#undef X
};

static struct library libsystemd = {
	.soname = "libsystemd.so.0",
	.package = "libsystemd0",
	.symbols = symbols,
	.n_symbols = ARRAY_SIZE(symbols),
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

struct systemd {
	sd_bus *bus;
	char *root;
	int version; /* 0: not asked yet */
};

bool systemd_is_known(void)
{
	return true;
}

static void message_done(sd_bus_message **m)
{
	if (*m)
		bus_calls.message_unref(*m);
}

static void bus_error_done(sd_bus_error *e)
{
	bus_calls.error_free(e);
}

static void slot_done(sd_bus_slot **slot)
{
	if (*slot)
		bus_calls.slot_unref(*slot);
}

/* What failed by @eno, or in the manager's words. */
static int failed(const sd_bus_error *e, int eno, const char *what, const char *unit, teu_error **err)
{
	static const struct {
		const char *name;
		int code;
	} names[] = {
		{ DESTINATION ".UnitExists", TEU_E_CONFLICT },
		{ DESTINATION ".NoSuchUnit", TEU_E_NOT_FOUND },
		{ "org.freedesktop.DBus.Error.InvalidArgs", TEU_E_INVALID },
		{ "org.freedesktop.DBus.Error.PropertyReadOnly", TEU_E_INVALID },
		{ "org.freedesktop.DBus.Error.UnknownProperty", TEU_E_INVALID },
		{ "org.freedesktop.DBus.Error.AccessDenied", TEU_E_PERMISSION },
		{ "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", TEU_E_PERMISSION },
	};

	if (!e->name)
		return err_errno(err, eno, "systemd: %s %s", what, unit);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(e->name, names[i].name) == 0)
			return err_set(err, names[i].code, "systemd: %s %s: %s", what, unit, e->message);
	return err_set(err, err_code_of(eno), "systemd: %s %s: %s", what, unit, e->message);
}

/* Without a bus the manager still listens to root. */
static int open_private(sd_bus **ret)
{
	int r = bus_calls.new(ret);

	if (r >= 0)
		r = bus_calls.set_address(*ret, "unix:path=/run/systemd/private");
	if (r >= 0)
		r = bus_calls.set_bus_client(*ret, 0);
	if (r >= 0)
		r = bus_calls.start(*ret);
	if (r < 0 && *ret)
		*ret = bus_calls.flush_close_unref(*ret);
	return r;
}

static int no_manager(bool user, const char *why, teu_error **err)
{
	const char *address = getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *folder = user ? getenv("XDG_RUNTIME_DIR") : NULL;
	char place[256] = "/run/dbus/system_bus_socket";

	if (user)
		snprintf(place, sizeof(place), "%.200s/bus", folder ? folder : "$XDG_RUNTIME_DIR");
	if (address && *address)
		snprintf(place, sizeof(place), "%.200s", address);
	return err_set(err, TEU_E_UNSUPPORTED,
		       "no systemd %s answers at the D-Bus socket %s: %s: %s, or use the cgroupfs driver",
		       user ? "user manager" : "manager", place, why,
		       user ? "log in, or have one started by \"loginctl enable-linger\""
			    : "boot with systemd and dbus");
}

int systemd_open(bool user, struct systemd **ret, teu_error **err)
{
	_cleanup_(systemd_closep) struct systemd *s = calloc(1, sizeof(*s));
	_cleanup_(bus_error_done) sd_bus_error e = SD_BUS_ERROR_NULL;
	int r;

	if (!s)
		return err_oom(err);
	r = library_open(&libsystemd, err);
	if (r < 0)
		return r;
	r = user ? bus_calls.open_user(&s->bus) : bus_calls.open_system(&s->bus);
	if (r < 0 && !user && open_private(&s->bus) >= 0)
		r = 0;
	if (r < 0)
		return no_manager(user, r == -ENOMEDIUM ? "neither address nor folder is set" : strerrordesc_np(-r),
				  err);
	r = bus_calls.get_property_string(s->bus, MANAGER, "ControlGroup", &e, &s->root);
	if (r < 0)
		return no_manager(user, e.message ? e.message : strerrordesc_np(-r), err);
	if (strcmp(s->root, "/") == 0)
		*s->root = '\0';
	*ret = TAKE_PTR(s);
	return 0;
}

void systemd_close(struct systemd *s)
{
	if (!s)
		return;
	if (s->bus)
		bus_calls.flush_close_unref(s->bus);
	free(s->root);
	free(s);
}

const char *systemd_root(const struct systemd *s)
{
	return s->root;
}

static int append_value(sd_bus_message *m, const struct gvariant *v)
{
	char inner[GVARIANT_MAX_TYPE];
	int r;

	switch (*v->type) {
	case 's':
	case 'o':
	case 'g':
		return bus_calls.message_append_basic(m, *v->type, v->text);
	case 'a':
		r = bus_calls.message_open_container(m, 'a', v->type + 1);
		break;
	case 'v':
		r = bus_calls.message_open_container(m, 'v', v->items[0].type);
		break;
	case '(':
		snprintf(inner, sizeof(inner), "%.*s", (int)strlen(v->type) - 2, v->type + 1);
		r = bus_calls.message_open_container(m, 'r', inner);
		break;
	default:
		return bus_calls.message_append_basic(m, *v->type, &v->basic);
	}
	for (size_t i = 0; r >= 0 && i < v->n; i++)
		r = append_value(m, &v->items[i]);
	return r < 0 ? r : bus_calls.message_close_container(m);
}

static int append_property(sd_bus_message *m, const char *name, const struct gvariant *v)
{
	int r = bus_calls.message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = bus_calls.message_append_basic(m, 's', name);
	if (r >= 0)
		r = bus_calls.message_open_container(m, 'v', v->type);
	if (r >= 0)
		r = append_value(m, v);
	if (r >= 0)
		r = bus_calls.message_close_container(m);
	return r < 0 ? r : bus_calls.message_close_container(m);
}

/* "252.39-1~deb12u2", "v249". */
static int read_version(struct systemd *s)
{
	_cleanup_free_ char *text = NULL;

	if (s->version)
		return s->version;
	s->version = -1;
	if (bus_calls.get_property_string(s->bus, MANAGER, "Version", NULL, &text) >= 0)
		s->version = (int)strtol(text + (*text == 'v'), NULL, 10);
	return s->version;
}

/* A manager refuses all for the sake of one that it does not know. */
static bool knows_property(struct systemd *s, const char *name, const struct gvariant *v)
{
	static const struct {
		const char *name;
		int since;
	} younger[] = {
		{ "CPUQuotaPeriodUSec", 242 },
		{ "AllowedCPUs", 244 },
		{ "AllowedMemoryNodes", 244 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(younger); i++)
		if (strcmp(name, younger[i].name) == 0)
			return read_version(s) >= younger[i].since;
	/* A weight of 0 is "idle". */
	return strcmp(name, "CPUWeight") != 0 || strcmp(v->type, "t") != 0 || v->basic.uint64 > 0 ||
	       read_version(s) >= 252;
}

static int append_properties(struct systemd *s, sd_bus_message *m, const struct strv *properties, teu_error **err)
{
	int e = bus_calls.message_open_container(m, 'a', "(sv)"), r = 0;

	strv_foreach (p, properties) {
		_cleanup_(gvariant_done) struct gvariant v = { 0 };
		size_t len = strcspn(*p, "=");
		char name[64];

		if ((size_t)snprintf(name, sizeof(name), "%.*s", (int)len, *p) >= sizeof(name) || !(*p)[len])
			return err_set(err, TEU_E_INVALID, "\"%.100s\" is no property of a unit", *p);
		r = gvariant_parse(*p + len + 1, &v, err);
		if (r < 0)
			return err_wrap(err, r, "systemd property %s", name);
		if (e >= 0 && knows_property(s, name, &v))
			e = append_property(m, name, &v);
	}
	if (e >= 0)
		e = bus_calls.message_close_container(m);
	return e < 0 ? err_errno(err, -e, "write a message to systemd") : 0;
}

/* A job of the manager's, whose end is told by a signal. */
struct job {
	char *path, *result; /* owned; the result is NULL as long as it goes on */
};

static void job_done(struct job *job)
{
	free(job->path);
	free(job->result);
}

static int on_removed(sd_bus_message *m, void *data, sd_bus_error *e)
{
	const char *path, *unit, *result;
	struct job *job = data;
	uint32_t id;

	(void)e;
	if (bus_calls.message_read(m, "uoss", &id, &path, &unit, &result) >= 0 && job->path && !job->result &&
	    strcmp(path, job->path) == 0)
		job->result = strdup(result);
	return 0;
}

static int await_job(struct systemd *s, const struct job *job, const char *what, const char *unit, teu_error **err)
{
	int64_t deadline_ms = clock_monotonic_ms() + JOB_MS;

	while (!job->result) {
		int r = bus_calls.process(s->bus, NULL);

		if (r == 0) {
			int left = clock_left_ms(deadline_ms);

			if (left == 0)
				return err_set(err, TEU_E_TIMEOUT, "systemd: %s %s: not done within %d s", what, unit,
					       JOB_MS / 1000);
			r = bus_calls.wait(s->bus, (uint64_t)left * 1000);
		}
		if (r < 0 && r != -EINTR)
			return err_errno(err, -r, "systemd: wait to %s %s", what, unit);
	}
	if (strcmp(job->result, "done") == 0 || strcmp(job->result, "skipped") == 0)
		return 0;
	return err_set(err, TEU_E_SYSTEM, "systemd: %s %s: the job's result is \"%s\" (see journalctl -u %s)", what,
		       unit, job->result, unit);
}

/* Sends @m, a call that answers with a job, and waits for that. */
static int run_job(struct systemd *s, sd_bus_message *m, const char *what, const char *unit, teu_error **err)
{
	_cleanup_(bus_error_done) sd_bus_error e = SD_BUS_ERROR_NULL;
	_cleanup_(message_done) sd_bus_message *reply = NULL;
	_cleanup_(job_done) struct job job = { 0 };
	/* Ends before the job does: its callback looks at that. */
	_cleanup_(slot_done) sd_bus_slot *slot = NULL;
	const char *path;
	int r = bus_calls.match_signal(s->bus, &slot, MANAGER, "JobRemoved", on_removed, &job);

	if (r >= 0)
		r = bus_calls.call(s->bus, m, 0, &e, &reply);
	if (r >= 0)
		r = bus_calls.message_read(reply, "o", &path);
	if (r < 0)
		return failed(&e, -r, what, unit, err);
	job.path = strdup(path);
	return job.path ? await_job(s, &job, what, unit, err) : err_oom(err);
}

static int new_call(struct systemd *s, const char *method, const char *unit, sd_bus_message **ret, teu_error **err)
{
	int r = bus_calls.message_new_method_call(s->bus, ret, MANAGER, method);

	if (r >= 0)
		r = bus_calls.message_append_basic(*ret, 's', unit);
	return r < 0 ? err_errno(err, -r, "write a message to systemd") : 0;
}

int systemd_start(struct systemd *s, const char *unit, const struct strv *properties, teu_error **err)
{
	_cleanup_(message_done) sd_bus_message *m = NULL;
	int r = new_call(s, "StartTransientUnit", unit, &m, err), e;

	if (r < 0)
		return r;
	e = bus_calls.message_append_basic(m, 's', "replace");
	r = append_properties(s, m, properties, err);
	if (r < 0)
		return r;
	if (e >= 0)
		e = bus_calls.message_open_container(m, 'a', "(sa(sv))");
	if (e >= 0)
		e = bus_calls.message_close_container(m);
	return e < 0 ? err_errno(err, -e, "write a message to systemd") : run_job(s, m, "start unit", unit, err);
}

int systemd_set(struct systemd *s, const char *unit, const struct strv *properties, teu_error **err)
{
	_cleanup_(bus_error_done) sd_bus_error e = SD_BUS_ERROR_NULL;
	_cleanup_(message_done) sd_bus_message *m = NULL;
	int runtime = 1, r = new_call(s, "SetUnitProperties", unit, &m, err);

	if (r == 0)
		r = bus_calls.message_append_basic(m, 'b', &runtime) < 0 ? err_oom(err)
									 : append_properties(s, m, properties, err);
	if (r < 0)
		return r;
	r = bus_calls.call(s->bus, m, 0, &e, NULL);
	return r < 0 ? failed(&e, -r, "change unit", unit, err) : 0;
}

int systemd_stop(struct systemd *s, const char *unit, teu_error **err)
{
	_cleanup_(message_done) sd_bus_message *m = NULL;
	_cleanup_error_ teu_error *why = NULL;
	int r = new_call(s, "StopUnit", unit, &m, err);

	if (r < 0)
		return r;
	if (bus_calls.message_append_basic(m, 's', "replace") < 0)
		return err_oom(err);
	r = run_job(s, m, "stop unit", unit, &why);
	systemd_reset(s, unit);
	if (r == TEU_E_NOT_FOUND)
		return 0;
	if (r < 0 && err && !*err)
		*err = TAKE_PTR(why);
	return r;
}

void systemd_reset(struct systemd *s, const char *unit)
{
	bus_calls.call_method(s->bus, MANAGER, "ResetFailedUnit", NULL, NULL, "s", unit);
}

#else

struct systemd {
	char unused;
};

bool systemd_is_known(void)
{
	return false;
}

int systemd_open(bool user, struct systemd **ret, teu_error **err)
{
	(void)user;
	*ret = NULL;
	return err_set(
		err, TEU_E_UNSUPPORTED,
		"this libteu was built without systemd/sd-bus.h: install libsystemd-dev and build it anew, or use the "
		"cgroupfs driver");
}

void systemd_close(struct systemd *s)
{
	(void)s;
}

const char *systemd_root(const struct systemd *s)
{
	(void)s;
	return "";
}

/* Nobody has a struct systemd to call these with. */
int systemd_start(struct systemd *s, const char *unit, const struct strv *properties, teu_error **err)
{
	(void)properties;
	return systemd_stop(s, unit, err);
}

int systemd_set(struct systemd *s, const char *unit, const struct strv *properties, teu_error **err)
{
	(void)properties;
	return systemd_stop(s, unit, err);
}

int systemd_stop(struct systemd *s, const char *unit, teu_error **err)
{
	(void)s;
	return err_set(err, TEU_E_UNSUPPORTED, "no systemd to manage unit %s", unit);
}

void systemd_reset(struct systemd *s, const char *unit)
{
	(void)s;
	(void)unit;
}
#endif
