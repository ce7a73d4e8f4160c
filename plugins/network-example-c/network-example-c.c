/*
 * A network plugin: every pod gets a tap device of its own, and an address that the host routes to it.
 *
 * The state is a folder of symbolic links, one for each address that is in use: "10.77.0.5" -> "POD/NETWORK/INTERFACE".
 * symlink(2) makes the whole of it or nothing, and refuses an address that is taken: no crash hands one out twice.
 * All else follows from the address: the device's name, the MAC address, the route.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "carpel_plugin.h"

/* The last numbers of addresses: the host has .1 on every tap, the pods have the others. */
enum { GATEWAY = 1, FIRST = 2, LAST = 254 };

struct plugin {
    int leases;      /* The folder of symbolic links. */
    uint32_t prefix; /* 10.77.0.0 in the host's byte order. */
    uint32_t machine_group;
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

/* What follows from an address. */
struct lease { char address[INET_ADDRSTRLEN], device[IFNAMSIZ], mac[18]; };

static struct lease lease_of(const struct plugin *plugin, unsigned number) {
    uint32_t host = plugin->prefix | number, network = htonl(host);
    struct lease lease;
    inet_ntop(AF_INET, &network, lease.address, sizeof lease.address);
    snprintf(lease.device, sizeof lease.device, "tap%08x", host);
    const uint8_t *byte = (const uint8_t *)&network;
    snprintf(lease.mac, sizeof lease.mac, "02:00:%02x:%02x:%02x:%02x", byte[0], byte[1], byte[2], byte[3]);
    return lease;
}

/* Who has the address; empty if nobody has. */
static void read_owner(const struct plugin *plugin, unsigned number, char owner[PATH_MAX]) {
    ssize_t length = readlinkat(plugin->leases, lease_of(plugin, number).address, owner, PATH_MAX - 1);
    owner[length < 0 ? 0 : length] = 0;
}

/* The last number of the owner's address, or 0. */
static unsigned find_lease(const struct plugin *plugin, const char *owner) {
    char other[PATH_MAX];
    for (unsigned number = FIRST; number <= LAST; number++) {
        read_owner(plugin, number, other);
        if (strcmp(owner, other) == 0) return number;
    }
    return 0;
}

/* Takes the wanted address or, if that is 0, the first that is free. Returns 0 if there is none. */
static unsigned take_lease(const struct plugin *plugin, const char *owner, unsigned wanted) {
    for (unsigned number = wanted ? wanted : FIRST; number <= (wanted ? wanted : LAST); number++) {
        if (symlinkat(owner, plugin->leases, lease_of(plugin, number).address) == 0) return number;
        if (errno != EEXIST) return fail("INTERNAL", "leaseNotWritten", "%s", strerror(errno)), 0;
    }
    return fail("RESOURCE_EXHAUSTED", "addressTaken", wanted ? "another has it" : "every address is in use"), 0;
}

/* Tap devices. These return false and set errno. */

static int open_tap(const char *device) {
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (tap >= 0 && ioctl(tap, TUNSETIFF, &request) < 0) {
        close(tap);
        tap = -1;
    }
    return tap;
}

static int set_address(int control, struct ifreq *request, unsigned long what, uint32_t address) {
    struct sockaddr_in value = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
    memcpy(&request->ifr_addr, &value, sizeof value);
    return ioctl(control, what, request) == 0;
}

/* Makes the device, or completes what a crash has left: the gateway's address at this end, a route to the pod's. */
static int make_tap(const struct plugin *plugin, unsigned number) {
    struct lease lease = lease_of(plugin, number);
    if (if_nametoindex(lease.device) == 0) {
        int tap = open_tap(lease.device);
        if (tap < 0) return 0;
        int made = ioctl(tap, TUNSETGROUP, plugin->machine_group) == 0 && ioctl(tap, TUNSETPERSIST, 1) == 0;
        close(tap);
        if (!made) return 0;
    }
    struct ifreq request = { 0 };
    memcpy(request.ifr_name, lease.device, IFNAMSIZ);
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int made = set_address(control, &request, SIOCSIFADDR, plugin->prefix | GATEWAY)
        && set_address(control, &request, SIOCSIFNETMASK, 0xffffffff)
        && set_address(control, &request, SIOCSIFDSTADDR, plugin->prefix | number)
        && ioctl(control, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP;
    made = made && ioctl(control, SIOCSIFFLAGS, &request) == 0;
    close(control);
    return made;
}

/* Takes the device away, and then the lease: a crash between them leaves what the next DEL finds. */
static int release(const struct plugin *plugin, unsigned number) {
    struct lease lease = lease_of(plugin, number);
    if (if_nametoindex(lease.device)) {
        int tap = open_tap(lease.device);
        if (tap < 0) return fail("UNAVAILABLE", "deviceBusy", "%s: %s", lease.device, strerror(errno)), 0;
        ioctl(tap, TUNSETPERSIST, 0);
        close(tap);
    }
    return unlinkat(plugin->leases, lease.address, 0) == 0 || errno == ENOENT
        || fail("INTERNAL", "leaseStuck", "%s: %s", lease.address, strerror(errno));
}

/* Verbs. They return the result, or NULL after fail(); call() holds the lock. */

/* The text that is the member of an object, or NULL. */
static const char *text_of(json_t *object, const char *member) {
    return json_string_value(json_object_get(object, member));
}

/* Writes "POD/NETWORK/INTERFACE" of a request that has the pod's id in `member` of `pod`. Returns 0 after fail(). */
static int read_request(char owner[PATH_MAX], json_t *request, json_t *pod, const char *member) {
    const char *id = text_of(pod, member), *network = text_of(request, "network");
    const char *interface = text_of(request, "interfaceName");
    if (!id || !network || !interface) return malformed("the pod's id, network or interfaceName is missing"), 0;
    int length = snprintf(owner, PATH_MAX, "%s/%s/%s", id, network, interface), slashes = 0;
    for (const char *next = owner; *next; next++) slashes += *next == '/';
    return (*id && *network && *interface && slashes == 2 && length < PATH_MAX)
        || malformed("the pod's id, network or interfaceName is impossible");
}

/* The last number of the address that the pod must have; 0 if any will do. Returns -1 after fail(). */
static int wanted_address(const struct plugin *plugin, json_t *addresses) {
    const char *text = json_string_value(json_array_get(addresses, 0));
    uint32_t address;
    if (json_is_array(addresses) && json_array_size(addresses) == 0) return 0;
    if (json_array_size(addresses) != 1 || !text || inet_pton(AF_INET, text, &address) != 1)
        return fail("INVALID_ARGUMENT", "addressImpossible", "a pod has one IPv4 address on this network"), -1;
    address = ntohl(address) ^ plugin->prefix;
    if (address >= FIRST && address <= LAST) return (int)address;
    return fail("INVALID_ARGUMENT", "addressImpossible", "%s is none of this network's addresses", text), -1;
}

static json_t *add(struct plugin *plugin, json_t *request) {
    json_t *ports = json_object_get(request, "portMappings"), *bandwidth = json_object_get(request, "bandwidth");
    json_t *mac = json_object_get(request, "macAddress");
    char owner[PATH_MAX];
    int wanted = wanted_address(plugin, json_object_get(request, "addresses"));
    if (wanted < 0 || !read_request(owner, request, json_object_get(request, "pod"), "id")) return NULL;
    if (!json_is_array(ports) || (mac && !json_is_string(mac))) return malformed("portMappings or macAddress");
    if (json_array_size(ports) || bandwidth)
        return fail("UNIMPLEMENTED", "notOffered", "this network has no port mappings and no bandwidth limits");
    int known = (int)find_lease(plugin, owner), number = known;
    if (known && wanted && known != wanted) return fail("ALREADY_EXISTS", "otherAddress", "the pod has another");
    if (!number && !(number = (int)take_lease(plugin, owner, wanted))) return NULL;
    struct lease lease = lease_of(plugin, number), gateway = lease_of(plugin, GATEWAY);
    if (!make_tap(plugin, number)) {
        fail("INTERNAL", "deviceNotMade", "%s: %s", lease.device, strerror(errno));
        if (!known) release(plugin, number);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:i, s:[{s:s+, s:s}], s:[{s:s+}, {s:s, s:s}]}", "device", lease.device,
                     "macAddress", mac ? json_string_value(mac) : lease.mac, "mtu", 1500,
                     "addresses", "address", lease.address, "/32", "gateway", gateway.address,
                     "routes", "destination", gateway.address, "/32", "destination", "0.0.0.0/0", "gateway",
                     gateway.address);
}

static json_t *delete(struct plugin *plugin, json_t *request) {
    char owner[PATH_MAX];
    unsigned number = read_request(owner, request, request, "podID") ? find_lease(plugin, owner) : 0;
    return problem || (number && !release(plugin, number)) ? NULL : json_object();
}

static json_t *check(struct plugin *plugin, json_t *request) {
    const char *device = text_of(json_object_get(request, "attachment"), "device");
    char owner[PATH_MAX];
    if (!device) return malformed("the attachment has no device");
    unsigned number = read_request(owner, request, request, "podID") ? find_lease(plugin, owner) : 0;
    if (number && strcmp(lease_of(plugin, number).device, device) == 0 && if_nametoindex(device)) return json_object();
    return fail("NOT_FOUND", "notAttached", "%s is not on the network with %s", owner, device);
}

static json_t *collect(struct plugin *plugin, json_t *request) {
    json_t *valid = json_object_get(request, "valid"), *item, *removed;
    char owner[PATH_MAX], keep[LAST + 1] = { 0 };
    size_t index;
    if (!json_is_array(valid)) return malformed("valid is no array");
    json_array_foreach(valid, index, item) {
        if (!read_request(owner, item, item, "podID")) return NULL;
        keep[find_lease(plugin, owner)] = 1;
    }
    removed = json_array();
    for (unsigned number = FIRST; number <= LAST; number++) {
        read_owner(plugin, number, owner);
        if (keep[number] || !*owner || !release(plugin, number)) continue;
        char *network = strchr(owner, '/'), *interface = strrchr(owner, '/');
        *network++ = *interface++ = 0;
        json_array_append_new(removed, json_pack("{s:s, s:s, s:s}", "podID", owner, "network", network,
                                                 "interfaceName", interface));
    }
    return json_pack("{s:o}", "removed", removed);
}

static json_t *status(struct plugin *plugin, json_t *request) {
    if (access("/dev/net/tun", R_OK | W_OK)) return fail("UNAVAILABLE", "noTun", "/dev/net/tun: %s", strerror(errno));
    if (find_lease(plugin, "")) return json_object();
    return fail("RESOURCE_EXHAUSTED", "addressPoolEmpty", "every address is in use");
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

static void *create(const struct carpel_environment *environment, struct carpel_buffer *answer) {
    const char *prefix = "10.77.0";
    char network[64];
    struct in_addr address;
    json_error_t error;
    json_t *configuration = json_loadb((const char *)environment->configuration.bytes,
                                       environment->configuration.length, 0, &error);
    if (json_unpack_ex(configuration, &error, 0, "{s?s}", "prefix", &prefix) < 0) malformed(error.text);
    snprintf(network, sizeof network, "%s.0", prefix);
    if (inet_pton(AF_INET, network, &address) != 1) malformed("the configuration's prefix is not like 10.77.0");
    json_decref(configuration);
    int leases = open(environment->state_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (leases < 0) fail("INTERNAL", "noStateFolder", "%s: %s", environment->state_folder, strerror(errno));
    if (problem) return answer_with(NULL, answer), NULL;
    struct plugin *plugin = malloc(sizeof *plugin);
    *plugin = (struct plugin){ leases, ntohl(address.s_addr), environment->machine_group, PTHREAD_MUTEX_INITIALIZER };
    return plugin;
}

static void call(void *handle, const struct carpel_call *call, struct carpel_buffer *answer) {
    static const struct { const char *verb; json_t *(*perform)(struct plugin *, json_t *); } verbs[] = {
        { "ADD", add }, { "DEL", delete }, { "CHECK", check }, { "GC", collect }, { "STATUS", status }, { NULL, NULL },
    };
    struct plugin *plugin = handle;
    json_error_t error;
    json_t *result = NULL, *request = json_loadb((const char *)call->request.bytes, call->request.length, 0, &error);
    int verb = 0;
    while (verbs[verb].verb && strcmp(verbs[verb].verb, call->verb)) verb++;
    pthread_mutex_lock(&plugin->lock);
    if (!verbs[verb].verb) fail("UNIMPLEMENTED", "verbUnknown", "a network plugin has no verb %s", call->verb);
    else if (!json_is_object(request)) malformed(request ? "the request is no object" : error.text);
    else if (poll(&(struct pollfd){ call->cancelled, POLLIN, 0 }, 1, 0) > 0) fail("CANCELLED", "cancelled", "too late");
    else result = verbs[verb].perform(plugin, request);
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
