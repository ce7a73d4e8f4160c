/*
 * A storage plugin: volumes are sparse files, snapshots are copies of them.
 *
 * All that is known stands in state.json, which is replaced as a whole by rename(2). A file is made before it is
 * mentioned there and removed after it is no longer: a crash leaves at most a file that nothing mentions, which the
 * next start removes. A volume's id is its name, and its file is NAME.raw; a snapshot's file is NAME.snapshot.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "carpel_plugin.h"

#define MEBIBYTE ((json_int_t)1 << 20)

struct plugin {
    char *path;
    int folder;
    uint32_t machine_group;
    json_int_t default_capacity;
    /* "volumes": by name, {"request": what it was created with, "volume": what is answered, "pods": modes by id};
     * "snapshots": by name, what is answered. */
    json_t *state;
    pthread_mutex_t lock;
};

/* What the call of this thread failed with. */
static _Thread_local json_t *problem;

/* Notes why the call fails, the first time; returns NULL for the caller to return. */
__attribute__((format(printf, 3, 4)))
static void *fail(const char *code, const char *reason, const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (!problem) problem = json_pack("{s:s, s:s, s:s}", "code", code, "reason", reason, "message", message);
    if (!problem) problem = json_pack("{s:s, s:s, s:s}", "code", code, "reason", reason, "message", reason);
    return NULL;
}

static void *malformed(const char *why) { return fail("INVALID_ARGUMENT", "requestMalformed", "%s", why); }

/* The text that is the member of an object; "" after fail() if there is none. */
static const char *text_of(json_t *object, const char *member) {
    const char *text = json_string_value(json_object_get(object, member));
    if (!text) fail("INVALID_ARGUMENT", "requestMalformed", "%s is no text", member);
    return text ? text : "";
}

/* The same if it can be a name. */
static const char *name_of(json_t *object, const char *member) {
    const char *name = text_of(object, member);
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    if (length == 0 || length > 128 || name[length])
        fail("INVALID_ARGUMENT", "nameImpossible", "%s: letters, digits, \"-\", \"_\" and \".\", at most 128", member);
    return name;
}

/* Files. These return false after fail(). */

static int file_failed(const char *what) { return fail("INTERNAL", "fileFailed", "%s: %s", what, strerror(errno)), 0; }

/* Writes the state; goes back to what is written if that fails. */
static int save(struct plugin *plugin) {
    char *text = json_dumps(plugin->state, JSON_INDENT(1)), path[PATH_MAX];
    int file = openat(plugin->folder, "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int saved = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) && fsync(file) == 0
        && renameat(plugin->folder, "state.new", plugin->folder, "state.json") == 0 && fsync(plugin->folder) == 0;
    if (!saved) file_failed("state.json");
    if (file >= 0) close(file);
    free(text);
    snprintf(path, sizeof path, "%s/state.json", plugin->path);
    json_t *before = saved ? NULL : json_load_file(path, 0, NULL);
    if (before) json_decref(plugin->state);
    if (before) plugin->state = before;
    return saved;
}

static void name_file(char file[NAME_MAX], const char *name, const char *kind) {
    snprintf(file, NAME_MAX, "%s.%s", name, kind);
}

/* Copies what is not a hole, until the caller no longer wants it. */
static int copy(int from, int to, int cancelled) {
    off_t data = 0, end, start;
    while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
        if ((end = lseek(from, data, SEEK_HOLE)) < 0) return file_failed("copy");
        while ((start = data) < end) {
            if (poll(&(struct pollfd){ cancelled, POLLIN, 0 }, 1, 0) > 0)
                return fail("CANCELLED", "cancelled", "the caller no longer wants the copy"), 0;
            size_t length = end - data < 16 * MEBIBYTE ? end - data : 16 * MEBIBYTE;
            if (copy_file_range(from, &data, to, &start, length, 0) <= 0) return file_failed("copy");
        }
    }
    return errno == ENXIO || file_failed("copy");
}

/* Runs a program to its end, and is content with its exit code up to `most`. */
static int run(int most, char *const arguments[]) {
    int status = -1;
    pid_t child;
    errno = posix_spawn(&child, arguments[0], NULL, NULL, arguments, (char *[]){ NULL });
    if (errno == 0) while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return (WIFEXITED(status) && WEXITSTATUS(status) <= most)
        || fail("INTERNAL", "programFailed", "%s ended with status %d", arguments[0], status);
}

/* Makes an ext4 file system as large as its file. 1 is e2fsck's code for faults that it has repaired. */
static int grow_ext4(char *path) {
    return run(1, (char *[]){ "/usr/sbin/e2fsck", "-f", "-p", path, NULL })
        && run(0, (char *[]){ "/usr/sbin/resize2fs", path, NULL });
}

/* Makes a file with a disk's content: that of the file `source`, or an ext4 file system, or nothing. */
static int make_disk(struct plugin *plugin, const char *file, json_int_t capacity, const char *source, int has_ext4,
                     int cancelled) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/disk.new", plugin->path);
    unlink(path);
    int disk = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    int from = source ? openat(plugin->folder, source, O_RDONLY | O_CLOEXEC) : -1;
    struct stat old = { 0 };
    int made = (disk >= 0 && fchown(disk, -1, plugin->machine_group) == 0 && fchmod(disk, 0660) == 0
                && ftruncate(disk, capacity) == 0 && (!source || fstat(from, &old) == 0)) || file_failed(file);
    if (source) made = made && copy(from, disk, cancelled) && (!has_ext4 || capacity == old.st_size || grow_ext4(path));
    else if (has_ext4) made = made && run(0, (char *[]){ "/usr/sbin/mkfs.ext4", "-q", "-F", path, NULL });
    made = made && ((fsync(disk) == 0 && renameat(plugin->folder, "disk.new", plugin->folder, file) == 0)
                    || file_failed(file));
    if (from >= 0) close(from);
    if (disk >= 0) close(disk);
    if (!made) unlink(path);
    return made;
}

/* Verbs. They return the result, or NULL after fail(); call() holds the lock. `cancelled` is the call's. */

static json_t *find(struct plugin *plugin, const char *kind, const char *name) {
    json_t *record = json_object_get(json_object_get(plugin->state, kind), name);
    return record ? record : fail("NOT_FOUND", "notFound", "there is no \"%s\" among the %s", name, kind);
}

static json_t *now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return json_integer((json_int_t)time.tv_sec * 1000000000 + time.tv_nsec);
}

/* The volume as it is answered: with those who have it, and what it takes. */
static json_t *describe(struct plugin *plugin, json_t *record) {
    json_t *volume = json_copy(json_object_get(record, "volume")), *pods = json_array(), *mode;
    char file[NAME_MAX];
    const char *pod;
    struct stat status;
    json_object_foreach(json_object_get(record, "pods"), pod, mode) json_array_append_new(pods, json_string(pod));
    json_object_set_new(volume, "publishedTo", pods);
    name_file(file, text_of(volume, "id"), "raw");
    if (fstatat(plugin->folder, file, &status, 0) == 0)
        json_object_set_new(volume, "allocatedBytes", json_integer((json_int_t)status.st_blocks * 512));
    return volume;
}

static json_int_t available(struct plugin *plugin, json_int_t *capacity) {
    struct statvfs status = { 0 };
    fstatvfs(plugin->folder, &status);
    if (capacity) *capacity = (json_int_t)(status.f_blocks * status.f_frsize);
    return (json_int_t)(status.f_bavail * status.f_frsize);
}

/* Whole mebibytes, if there is so much. Returns 0 after fail(). */
static json_int_t round_capacity(struct plugin *plugin, json_int_t wanted) {
    if (wanted < 0) return fail("INVALID_ARGUMENT", "capacityImpossible", "a capacity is not negative"), 0;
    if (wanted > available(plugin, NULL))
        return fail("RESOURCE_EXHAUSTED", "poolFull", "there is no room for %lld bytes", wanted), 0;
    return (wanted + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE;
}

static json_t *create_volume(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "name"), *mode = text_of(request, "mode"), *kind, *key = NULL;
    json_t *source = json_object_get(request, "source"), *value, *parameters = json_object_get(request, "parameters");
    json_t *capacity = json_object_get(request, "capacityBytes"), *from = NULL;
    char file[NAME_MAX], source_file[NAME_MAX];
    if (problem) return NULL;
    if (json_is_null(source)) source = NULL;
    if (!json_is_integer(capacity) || !json_is_object(parameters)) return malformed("capacityBytes or parameters");
    if (strcmp(mode, "filesystem") && strcmp(mode, "block")) return malformed("mode is filesystem or block");
    json_object_foreach(parameters, key, value)
        return fail("INVALID_ARGUMENT", "parameterUnknown", "there is no parameter %s", key);
    json_t *record = json_object_get(json_object_get(plugin->state, "volumes"), name);
    if (record && json_equal(json_object_get(record, "request"), request)) return describe(plugin, record);
    if (record) return fail("ALREADY_EXISTS", "volumeDiffers", "there is another volume %s", name);

    json_int_t wanted = json_integer_value(capacity), least = 0;
    if (source) {
        kind = json_object_get(source, "snapshot") ? "snapshot" : "volume";
        const char *origin = text_of(source, kind);
        if (problem) return NULL;
        if (*kind == 's') from = find(plugin, "snapshots", origin);
        else from = json_object_get(find(plugin, "volumes", origin), "volume");
        if (!from) return NULL;
        name_file(source_file, origin, *kind == 's' ? "snapshot" : "raw");
        least = json_integer_value(json_object_get(from, "capacityBytes"));
    }
    if (wanted == 0) wanted = least ? least : plugin->default_capacity;
    if (wanted < least && wanted > 0) return fail("OUT_OF_RANGE", "capacityTooSmall", "the source is larger");
    if ((wanted = round_capacity(plugin, wanted)) == 0) return NULL;
    name_file(file, name, "raw");
    if (!make_disk(plugin, file, wanted, from ? source_file : NULL, *mode == 'f', cancelled)) return NULL;
    record = json_pack("{s:O, s:{s:s, s:s, s:I, s:s, s:O*, s:O, s:o}, s:{}}", "request", request, "volume", "id", name,
                       "name", name, "capacityBytes", wanted, "mode", mode, "source", source, "parameters", parameters,
                       "createdAt", now(), "pods");
    json_object_set_new(json_object_get(plugin->state, "volumes"), name, record);
    return save(plugin) ? describe(plugin, record) : NULL;
}

/* Forgets the record, and then removes its file. */
static json_t *forget(struct plugin *plugin, const char *kind, const char *name, const char *suffix) {
    char file[NAME_MAX];
    if (json_object_del(json_object_get(plugin->state, kind), name) < 0) return json_object();
    if (!save(plugin)) return NULL;
    name_file(file, name, suffix);
    if (unlinkat(plugin->folder, file, 0) < 0 && errno != ENOENT && !file_failed(file)) return NULL;
    return json_object();
}

/* Whether a pod has the volume; notes it as a failure. */
static int is_published(json_t *record, const char *name) {
    int count = (int)json_object_size(json_object_get(record, "pods"));
    if (count) fail("FAILED_PRECONDITION", "volumeInUse", "%d pods have %s", count, name);
    return count;
}

static json_t *delete_volume(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "volumeID");
    json_t *record = json_object_get(json_object_get(plugin->state, "volumes"), name);
    return problem || is_published(record, name) ? NULL : forget(plugin, "volumes", name, "raw");
}

static json_t *expand_volume(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "volumeID");
    json_t *capacity = json_object_get(request, "capacityBytes");
    if (!json_is_integer(capacity)) return malformed("capacityBytes");
    json_t *record = find(plugin, "volumes", name), *volume = json_object_get(record, "volume");
    if (problem) return NULL;
    json_int_t wanted = json_integer_value(capacity);
    if (wanted > json_integer_value(json_object_get(volume, "capacityBytes"))) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s.raw", plugin->path, name);
        if ((wanted = round_capacity(plugin, wanted)) == 0 || is_published(record, name)) return NULL;
        if (truncate(path, wanted) < 0 && !file_failed(path)) return NULL;
        if (*text_of(volume, "mode") == 'f' && !grow_ext4(path)) return NULL;
        json_object_set_new(volume, "capacityBytes", json_integer(wanted));
        if (!save(plugin)) return NULL;
    }
    return json_pack("{s:O, s:b}", "capacityBytes", json_object_get(volume, "capacityBytes"), "resizedByMachine", 0);
}

static json_t *restore_volume(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "volumeID"), *origin = name_of(request, "snapshotID");
    json_t *record = find(plugin, "volumes", name), *snapshot = find(plugin, "snapshots", origin);
    char file[NAME_MAX], source[NAME_MAX];
    if (problem || is_published(record, name)) return NULL;
    if (strcmp(text_of(snapshot, "sourceVolumeID"), name))
        return fail("INVALID_ARGUMENT", "snapshotOfAnother", "%s is a snapshot of another volume", origin);
    json_t *volume = json_object_get(record, "volume");
    json_int_t capacity = json_integer_value(json_object_get(volume, "capacityBytes"));
    name_file(file, name, "raw");
    name_file(source, origin, "snapshot");
    if (!make_disk(plugin, file, capacity, source, *text_of(volume, "mode") == 'f', cancelled)) return NULL;
    return describe(plugin, record);
}

static int compare_names(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static json_t *list_volumes(struct plugin *plugin, json_t *request, int cancelled) {
    json_t *records = json_object_get(plugin->state, "volumes"), *record, *volumes = json_array();
    const char **names = calloc(json_object_size(records) + 1, sizeof *names), *name;
    size_t count = 0;
    json_object_foreach(records, name, record) names[count++] = name;
    qsort(names, count, sizeof *names, compare_names);
    for (size_t index = 0; index < count; index++)
        json_array_append_new(volumes, describe(plugin, json_object_get(records, names[index])));
    free(names);
    return json_pack("{s:o}", "volumes", volumes);
}

static json_t *publish_volume(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "volumeID"), *pod = name_of(request, "podID"), *other;
    const char *access = text_of(request, "accessMode");
    json_t *record = find(plugin, "volumes", name), *pods = json_object_get(record, "pods"), *value;
    int reads = strcmp(access, "multiReader") == 0;
    if (problem) return NULL;
    if (!reads && strcmp(access, "singleWriter")) return malformed("accessMode is singleWriter or multiReader");
    json_object_foreach(pods, other, value) {
        int is_same = strcmp(pod, other) == 0, other_reads = strcmp(json_string_value(value), "multiReader") == 0;
        if (is_same ? reads != other_reads : !reads || !other_reads)
            return fail("FAILED_PRECONDITION", "volumeInUse", "the pod %s has it as %s", other,
                        json_string_value(value));
    }
    if (!json_object_get(pods, pod)) {
        json_object_set_new(pods, pod, json_string(access));
        if (!save(plugin)) return NULL;
    }
    const char *mode = text_of(json_object_get(record, "volume"), "mode");
    json_t *path = json_sprintf("%s/%s.raw", plugin->path, name);
    return json_pack("{s:o, s:s, s:b, s:s, s:s*}", "path", path, "format", "raw", "readOnly", reads, "mode", mode,
                     "fsType", *mode == 'f' ? "ext4" : NULL);
}

static json_t *unpublish_volume(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "volumeID"), *pod = name_of(request, "podID");
    json_t *record = json_object_get(json_object_get(plugin->state, "volumes"), name);
    if (problem) return NULL;
    if (json_object_del(json_object_get(record, "pods"), pod) == 0 && !save(plugin)) return NULL;
    return json_object();
}

static json_t *collect_publications(struct plugin *plugin, json_t *request, int cancelled) {
    json_t *valid = json_object_get(request, "valid"), *item, *record, *mode, *removed = json_array();
    const char *name, *pod;
    void *next;
    size_t index;
    if (!json_is_array(valid)) malformed("valid is no array");
    json_array_foreach(valid, index, item) {
        name_of(item, "volumeID");
        name_of(item, "podID");
    }
    if (problem) return json_decref(removed), NULL;
    json_object_foreach(json_object_get(plugin->state, "volumes"), name, record)
        json_object_foreach_safe(json_object_get(record, "pods"), next, pod, mode) {
            json_t *publication = json_pack("{s:s, s:s}", "volumeID", name, "podID", pod);
            int is_valid = 0;
            json_array_foreach(valid, index, item) is_valid |= json_equal(item, publication);
            if (!is_valid) json_array_append(removed, publication);
            if (!is_valid) json_object_del(json_object_get(record, "pods"), pod);
            json_decref(publication);
        }
    if (json_array_size(removed) && !save(plugin)) return json_decref(removed), NULL;
    return json_pack("{s:o}", "removed", removed);
}

static json_t *create_snapshot(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "name"), *origin = name_of(request, "sourceVolumeID");
    json_t *snapshot = json_object_get(json_object_get(plugin->state, "snapshots"), name);
    char file[NAME_MAX], source[NAME_MAX];
    if (problem) return NULL;
    if (snapshot && strcmp(text_of(snapshot, "sourceVolumeID"), origin) == 0) return json_incref(snapshot);
    if (snapshot) return fail("ALREADY_EXISTS", "snapshotDiffers", "%s is a snapshot of another volume", name);
    json_t *record = find(plugin, "volumes", origin);
    if (!record) return NULL;
    json_t *capacity = json_object_get(json_object_get(record, "volume"), "capacityBytes");
    name_file(file, name, "snapshot");
    name_file(source, origin, "raw");
    if (!make_disk(plugin, file, json_integer_value(capacity), source, 0, cancelled)) return NULL;
    snapshot = json_pack("{s:s, s:s, s:s, s:O, s:o}", "id", name, "name", name, "sourceVolumeID", origin,
                         "capacityBytes", capacity, "createdAt", now());
    json_object_set(json_object_get(plugin->state, "snapshots"), name, snapshot);
    if (save(plugin)) return snapshot;
    json_decref(snapshot);
    return NULL;
}

static json_t *delete_snapshot(struct plugin *plugin, json_t *request, int cancelled) {
    const char *name = name_of(request, "snapshotID");
    return problem ? NULL : forget(plugin, "snapshots", name, "snapshot");
}

/* jansson keeps the members of an object in the order in which they came: the oldest is first. */
static json_t *list_snapshots(struct plugin *plugin, json_t *request, int cancelled) {
    json_t *snapshot, *snapshots = json_array();
    const char *name;
    json_object_foreach(json_object_get(plugin->state, "snapshots"), name, snapshot)
        json_array_append(snapshots, snapshot);
    return json_pack("{s:o}", "snapshots", snapshots);
}

static json_t *get_capacity(struct plugin *plugin, json_t *request, int cancelled) {
    json_int_t capacity, left = available(plugin, &capacity);
    return json_pack("{s:I, s:I}", "capacityBytes", capacity, "availableBytes", left);
}

static json_t *probe(struct plugin *plugin, json_t *request, int cancelled) {
    if (faccessat(plugin->folder, "state.json", R_OK | W_OK, 0) < 0) return file_failed("state.json"), NULL;
    return json_object();
}

/* Answers with the result or, if there was a problem, with that. Takes both. */
static void answer_with(json_t *result, struct carpel_buffer *answer) {
    json_t *response = problem ? json_pack("{s:O}", "error", problem) : json_pack("{s:O}", "result", result);
    char *text = json_dumps(response, JSON_COMPACT);
    *answer = (struct carpel_buffer){ (const uint8_t *)text, strlen(text) };
    json_decref(response);
    json_decref(result);
    json_decref(problem);
    problem = NULL;
}

/* Removes what a crash has left: files that the state does not mention. */
static void remove_orphans(struct plugin *plugin) {
    DIR *files = fdopendir(openat(plugin->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    while (files && (entry = readdir(files))) {
        char name[NAME_MAX + 1], *dot;
        strcpy(name, entry->d_name);
        if (!(dot = strrchr(name, '.'))) continue;
        *dot = 0;
        const char *kind = !strcmp(dot + 1, "raw") ? "volumes" : !strcmp(dot + 1, "snapshot") ? "snapshots" : NULL;
        if (kind && !json_object_get(json_object_get(plugin->state, kind), name))
            unlinkat(plugin->folder, entry->d_name, 0);
    }
    if (files) closedir(files);
}

static void *create(const struct carpel_environment *environment, struct carpel_buffer *answer) {
    struct plugin *plugin = calloc(1, sizeof *plugin);
    json_error_t error;
    json_t *configuration = json_loadb((const char *)environment->configuration.bytes,
                                       environment->configuration.length, 0, &error);
    *plugin = (struct plugin){ strdup(environment->state_folder), -1, environment->machine_group, 1024 * MEBIBYTE, NULL,
                               PTHREAD_MUTEX_INITIALIZER };
    if (json_unpack_ex(configuration, &error, 0, "{s?I}", "defaultCapacityBytes", &plugin->default_capacity) < 0)
        malformed(error.text);
    json_decref(configuration);
    if ((plugin->folder = open(plugin->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) file_failed(plugin->path);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/state.json", plugin->path);
    plugin->state = json_load_file(path, 0, &error);
    if (!plugin->state && access(path, F_OK) == 0) fail("DATA_LOSS", "stateUnreadable", "%s: %s", path, error.text);
    if (!problem && !plugin->state) {
        plugin->state = json_pack("{s:{}, s:{}}", "volumes", "snapshots");
        save(plugin);
    }
    if (problem) return answer_with(NULL, answer), NULL;
    remove_orphans(plugin);
    return plugin;
}

static void call(void *handle, const struct carpel_call *call, struct carpel_buffer *answer) {
    static const struct { const char *verb; json_t *(*perform)(struct plugin *, json_t *, int); } verbs[] = {
        { "CreateVolume", create_volume }, { "DeleteVolume", delete_volume }, { "ExpandVolume", expand_volume },
        { "RestoreVolume", restore_volume }, { "ListVolumes", list_volumes }, { "PublishVolume", publish_volume },
        { "UnpublishVolume", unpublish_volume }, { "CollectPublications", collect_publications },
        { "CreateSnapshot", create_snapshot }, { "DeleteSnapshot", delete_snapshot },
        { "ListSnapshots", list_snapshots }, { "GetCapacity", get_capacity }, { "Probe", probe }, { NULL, NULL },
    };
    struct plugin *plugin = handle;
    json_error_t error;
    json_t *result = NULL, *request = json_loadb((const char *)call->request.bytes, call->request.length, 0, &error);
    int verb = 0;
    while (verbs[verb].verb && strcmp(verbs[verb].verb, call->verb)) verb++;
    pthread_mutex_lock(&plugin->lock);
    if (!verbs[verb].verb) fail("UNIMPLEMENTED", "verbUnknown", "a storage plugin has no verb %s", call->verb);
    else if (!json_is_object(request)) malformed(request ? "the request is no object" : error.text);
    else if (poll(&(struct pollfd){ call->cancelled, POLLIN, 0 }, 1, 0) > 0) fail("CANCELLED", "cancelled", "too late");
    else result = verbs[verb].perform(plugin, request, call->cancelled);
    pthread_mutex_unlock(&plugin->lock);
    json_decref(request);
    answer_with(result, answer);
}

static void free_buffer(void *handle, struct carpel_buffer answer) { free((void *)answer.bytes); }
static void destroy(void *handle) { free(handle); }

const struct carpel_plugin *carpel_plugin(void) {
    static const struct carpel_plugin table = { CARPEL_PLUGIN_ABI_VERSION, sizeof table, create, call, free_buffer,
                                                destroy };
    return &table;
}
