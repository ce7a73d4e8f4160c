// A plugin for tests, in C. Its verbs do what plugins should not, and tell what the process may do.
// What fails to load is made with -DABI_VERSION, -DTABLE_SIZE, -DNO_SYMBOL, -DNO_TABLE, -DNO_CALL, -DUNRESOLVED and
// -DCREATE_FAILS; -DVERSION is what VERSION answers.
#define _GNU_SOURCE
#include "carpel_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef ABI_VERSION
#define ABI_VERSION CARPEL_PLUGIN_ABI_VERSION
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(struct carpel_plugin)
#endif
#ifndef VERSION
#define VERSION "1"
#endif

struct plugin {
    char name[64];
    char folder[512];
    char configuration[4096];
    unsigned group;
};

static void answer(struct carpel_buffer *answer, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    answer->bytes = (const uint8_t *)text;
    answer->length = length < 0 ? 0 : (size_t)length;
}

static void *create(const struct carpel_environment *environment, struct carpel_buffer *out) {
#ifdef CREATE_FAILS
    answer(out, "{\"error\": {\"code\": \"%s\", \"reason\": \"poolMissing\", \"message\": \"no pool at\\n/nowhere\"}}",
           CREATE_FAILS);
    return NULL;
#endif
#ifdef CREATE_SAYS_NOTHING
    return NULL;
#endif
    struct plugin *plugin = calloc(1, sizeof *plugin);
    snprintf(plugin->name, sizeof plugin->name, "%s", environment->name);
    snprintf(plugin->folder, sizeof plugin->folder, "%s", environment->state_folder);
    snprintf(plugin->configuration, sizeof plugin->configuration, "%.*s", (int)environment->configuration.length,
             (const char *)environment->configuration.bytes);
    plugin->group = environment->machine_group;
    (void)out;
    return plugin;
}

static void *answer_status(struct carpel_buffer *out) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[512], members[8192] = "";
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (!value || strchr("CNSUG", line[0]) == NULL) continue;
        *value++ = 0;
        value += strspn(value, "\t ");
        value[strcspn(value, "\n")] = 0;
        for (char *c = value; *c; c++) if (*c == '\t') *c = ' ';
        size_t used = strlen(members);
        snprintf(members + used, sizeof members - used, "%s\"%s\": \"%s\"", used ? ", " : "", line, value);
    }
    if (file) fclose(file);
    answer(out, "{\"result\": {%s}}", members);
    return NULL;
}

// errno of what the name stands for, 0 if it works.
static int try_call(const char *what) {
    errno = 0;
    if (strstr(what, "ptrace")) return ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 ? errno : 0;
    if (strstr(what, "keyctl")) return syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0 ? errno : 0;
    if (strstr(what, "reboot")) return syscall(SYS_reboot, 0, 0, 0, 0) < 0 ? errno : 0;
    if (strstr(what, "unshare")) return unshare(CLONE_NEWNET) < 0 ? errno : 0;
    if (strstr(what, "mount")) return mount("none", "/nowhere", "tmpfs", 0, NULL) < 0 ? errno : 0;
    if (strstr(what, "socket-inet")) return socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
    if (strstr(what, "socket-netlink")) return socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? errno : 0;
    if (strstr(what, "socket-alg")) return socket(AF_ALG, SOCK_SEQPACKET, 0) < 0 ? errno : 0;
    if (strstr(what, "kill-0")) return kill(getpid(), 0) < 0 ? errno : 0;
    if (strstr(what, "thread")) return 0;
    if (strstr(what, "exec")) {
        pid_t child = fork();
        if (child < 0) return errno;
        if (child == 0) {
            execl("/bin/true", "true", (char *)NULL);
            _exit(1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EACCES;
    }
    if (strstr(what, "fallocate")) {
        int file = open("space", O_RDWR | O_CREAT, 0600);
        int copy = open("copy", O_RDWR | O_CREAT, 0600);
        if (file < 0 || copy < 0) return errno;
        if (fallocate(file, 0, 0, 4096) < 0) return errno;
        if (copy_file_range(file, NULL, copy, NULL, 4096, 0) < 0) return errno;
        // FICLONE: EOPNOTSUPP where the file system has none, which is not EPERM.
        if (ioctl(copy, 0x40049409, file) < 0 && errno == EPERM) return errno;
        close(file);
        close(copy);
        return unlink("space") < 0 || unlink("copy") < 0 ? errno : 0;
    }
    return -1;
}

// Calls of WAIT that have not ended.
static atomic_int waiting_calls;

static long number_in(const char *text) {
    const char *digits = strpbrk(text, "0123456789");
    return digits ? strtol(digits, NULL, 10) : 0;
}

static void call(void *handle, const struct carpel_call *call, struct carpel_buffer *out) {
    struct plugin *plugin = handle;
    const char *verb = call->verb;
    char *request = strndup((const char *)call->request.bytes, call->request.length);
    if (!strcmp(verb, "PING") || !strcmp(verb, "STATUS") || !strcmp(verb, "DEL")) {
        answer(out, "{\"result\": {}}");
    } else if (!strcmp(verb, "ADD")) {
        answer(out, "{\"result\": {\"device\": \"tap" VERSION "\", \"macAddress\": \"02:00:00:00:00:01\", \"mtu\": 1500,"
                    " \"addresses\": [], \"routes\": []}}");
    } else if (!strcmp(verb, "VERSION")) {
        answer(out, "{\"result\": {\"version\": \"" VERSION "\", \"pid\": %d}}", getpid());
    } else if (!strcmp(verb, "ENVIRONMENT")) {
        char folder[512];
        answer(out, "{\"result\": {\"name\": \"%s\", \"stateFolder\": \"%s\", \"configuration\": %s, \"group\": %u, "
                    "\"workingFolder\": \"%s\"}}",
               plugin->name, plugin->folder, plugin->configuration, plugin->group, getcwd(folder, sizeof folder));
    } else if (!strcmp(verb, "ECHO")) {
        answer(out, "{\"result\":\n\t%s}\r\n", request);
    } else if (!strcmp(verb, "BYTES")) {
        answer(out, "{\"result\": {\"length\": %zu, \"first\": %d}}", call->request.length,
               call->request.length ? call->request.bytes[0] : -1);
    } else if (!strcmp(verb, "CONFINEMENT")) {
        answer_status(out);
    } else if (!strcmp(verb, "TRY")) {
        answer(out, "{\"result\": {\"errno\": %d}}", try_call(request));
    } else if (!strcmp(verb, "CRASH")) {
        fprintf(stderr, "about to crash\n");
        abort();
    } else if (!strcmp(verb, "CRASH_ONCE")) {
        int marker = open("crashed", O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (marker >= 0) abort();
        answer(out, "{\"result\": {}}");
    } else if (!strcmp(verb, "EXIT")) {
        _exit(7);
    } else if (!strcmp(verb, "HANG")) {
        int marker = open("hanging", O_CREAT | O_WRONLY, 0600);
        close(marker);
        while (1) pause();
    } else if (!strcmp(verb, "WAIT")) {
        int marker = open("waiting", O_CREAT | O_WRONLY, 0600);
        close(marker);
        atomic_fetch_add(&waiting_calls, 1);
        struct pollfd poll_for = {.fd = call->cancelled, .events = POLLIN};
        poll(&poll_for, 1, -1);
        atomic_fetch_sub(&waiting_calls, 1);
        marker = open("told", O_CREAT | O_WRONLY, 0600);
        close(marker);
        answer(out, "{\"error\": {\"code\": \"CANCELLED\", \"reason\": \"cancelled\", \"message\": \"as asked\"}}");
    } else if (!strcmp(verb, "WAITING")) {
        answer(out, "{\"result\": {\"calls\": %d}}", atomic_load(&waiting_calls));
    } else if (!strcmp(verb, "RELEASED")) {
        // Ends when somebody removes the file.
        int marker = open("held", O_CREAT | O_WRONLY, 0600);
        close(marker);
        while (access("held", F_OK) == 0) nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        answer(out, "{\"result\": {}}");
    } else if (!strcmp(verb, "GARBAGE")) {
        answer(out, "{\"result\": {} trailing\n\x01\xff}");
    } else if (!strcmp(verb, "EMPTY")) {
        free(request);
        return;
    } else if (!strcmp(verb, "SCRIBBLE")) {
        // One of them is the socket to the daemon.
        for (int file = 3; file < 32; file++) {
            if (write(file, "not a message\n", 14) < 0) continue;
        }
        answer(out, "{\"result\": {}}");
    } else if (!strcmp(verb, "LARGE")) {
        // A result of as many letters as the request says.
        size_t length = (size_t)number_in(request);
        char *text = malloc(length + 64);
        size_t head = (size_t)sprintf(text, "{\"result\": \"");
        memset(text + head, 'x', length);
        memcpy(text + head + length, "\"}", 2);
        out->bytes = (const uint8_t *)text;
        out->length = head + length + 2;
    } else if (!strcmp(verb, "LOG")) {
        long lines = number_in(request);
        for (long line = 0; line < lines; line++) printf("line %ld\n", line);
        fprintf(stderr, "\x1b[31mred\n");
        char longer[20000];
        memset(longer, 'y', sizeof longer - 2);
        memcpy(longer + sizeof longer - 2, "\n", 2);
        fputs(longer, stderr);
        answer(out, "{\"result\": {}}");
    } else if (!strcmp(verb, "EAT")) {
        size_t length = (size_t)number_in(request) << 20;
        char *memory = malloc(length);
        for (size_t offset = 0; memory && offset < length; offset += 4096) memory[offset] = 1;
        answer(out, "{\"result\": {\"first\": %d}}", memory ? memory[length / 2] : -1);
        free(memory);
    } else if (!strcmp(verb, "LEAVE_CHILD")) {
        pid_t child = fork();
        if (child == 0) {
            setsid();
            while (1) pause();
        }
        answer(out, "{\"result\": {\"pid\": %d}}", child);
    } else {
        answer(out, "{\"error\": {\"code\": \"UNIMPLEMENTED\", \"reason\": \"verbUnknown\", \"message\": \"no %s\"}}", verb);
    }
    free(request);
}

static void free_buffer(void *handle, struct carpel_buffer buffer) {
    (void)handle;
    free((void *)buffer.bytes);
}

static void destroy(void *handle) {
    int marker = open("destroyed", O_CREAT | O_WRONLY, 0600);
    close(marker);
    free(handle);
}

#ifdef UNRESOLVED
extern int carpel_no_such_function(void);
int uses_what_is_not_there(void) { return carpel_no_such_function(); }
#endif

#ifndef NO_SYMBOL
const struct carpel_plugin *carpel_plugin(void) {
#ifdef NO_TABLE
    return NULL;
#else
    static const struct carpel_plugin table = {
        .abi_version = ABI_VERSION,
        .struct_size = TABLE_SIZE,
        .create = create,
#ifndef NO_CALL
        .call = call,
#endif
        .free_buffer = free_buffer,
        .destroy = destroy,
    };
    return &table;
#endif
}
#endif
