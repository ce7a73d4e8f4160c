let networkFaults: [PluginFault] = [
    .network(
        "STATUS always fails", fails: ["status"],
        ("if (find_lease(plugin, \"\")) return json_object();", "")),
    .network("an MTU that no machine can have", fails: ["add", "add-after-del"], ("\"mtu\", 1500", "\"mtu\", 0")),
    .network(
        "devices that the machines' group may not open", fails: ["add"],
        ("ioctl(tap, TUNSETGROUP, plugin->machine_group) == 0 && ", "")),
    .network(
        "addresses without a prefix", fails: ["add"],
        ("lease.address, \"/32\", \"gateway\"", "lease.address, \"\", \"gateway\"")),
    .network("a route to nowhere", fails: ["add"], ("\"0.0.0.0/0\"", "\"everywhere\"")),
    .network("a MAC address that is a group's", fails: ["add"], ("\"02:00:%02x", "\"03:00:%02x")),
    .network(
        "an answer without a device", fails: ["add"], ("{s:s, s:s, s:i, s:[{s:s+", "{s:s*, s:s, s:i, s:[{s:s+"),
        ("\"device\", lease.device", "\"device\", NULL")),
    .network(
        "another MAC address each time", fails: ["add-again", "concurrent-add-same", "restart"],
        ("byte[0], byte[1], byte[2], byte[3]", "rand() & 255, rand() & 255, rand() & 255, (int)time(NULL) & 255"),
        ("#include <poll.h>", "#include <poll.h>\n#include <time.h>")),
    .network(
        "one MAC address for all", fails: ["add-distinct", "add-second-interface", "concurrent-add"],
        ("byte[0], byte[1], byte[2], byte[3]", "byte[0], byte[1], byte[2], 7")),
    .network(
        "interfaces that are not told apart", fails: ["add-second-interface"],
        ("\"%s/%s/%s\", id, network, interface)", "\"%s/%s/eth0\", id, network)")),
    .network(
        "an address that is asked for is ignored", fails: ["static-address"],
        (
            "if (address >= FIRST && address <= LAST) return (int)address;",
            "if (address >= FIRST && address <= LAST) return 0;"
        )),
    .network(
        "any address that is asked for is ignored", fails: ["static-address-impossible"],
        (
            "    if (json_array_size(addresses) != 1",
            "    if (json_array_size(addresses)) return 0;\n    if (json_array_size(addresses) != 1"
        )),
    .network(
        "a MAC address that is asked for is ignored", fails: ["static-mac"],
        ("mac ? json_string_value(mac) : lease.mac", "lease.mac")),
    .network(
        "port mappings are ignored", fails: ["port-mapping"],
        ("if (json_array_size(ports) || bandwidth)", "if (bandwidth)")),
    .network(
        "what is not offered is an internal error", fails: ["port-mapping", "bandwidth"],
        ("\"UNIMPLEMENTED\", \"notOffered\"", "\"INTERNAL\", \"notOffered\"")),
    .network(
        "DEL leaves the device",
        fails: ["del", "nothing-left", "add-second-interface", "gc", "concurrent-add", "restart"],
        ("        ioctl(tap, TUNSETPERSIST, 0);\n", "")),
    .network(
        "DEL of the unknown fails", fails: ["del-unknown", "del-twice"],
        (
            "problem || (number && !release(plugin, number)) ? NULL",
            "problem || !number || !release(plugin, number) ? (fail(\"NOT_FOUND\", \"none\", \"none\"), NULL)"
        )),
    .network(
        "DEL keeps the address", fails: ["gc-after-del"],
        (
            "    return unlinkat(plugin->leases, lease.address, 0) == 0",
            "    return 1 || unlinkat(plugin->leases, lease.address, 0) == 0"
        )),
    .network(
        "a pod that was deleted is never added again", fails: ["add-after-del"],
        (
            "static json_t *add(struct plugin *plugin, json_t *request) {",
            "static char last[PATH_MAX];\nstatic json_t *add(struct plugin *plugin, json_t *request) {"
        ),
        (
            "    int known = ",
            "    if (strcmp(owner, last) == 0) return fail(\"INTERNAL\", \"gone\", \"gone\");\n    int known = "
        ),
        (
            "? find_lease(plugin, owner) : 0;\n    return problem",
            "? find_lease(plugin, owner) : 0;\n    strcpy(last, owner);\n    return problem"
        )),
    .network(
        "ADD makes a device too many", fails: ["nothing-left"],
        (
            "        if (!made) return 0;",
            "        int more = open_tap(\"more%d\");\n        ioctl(more, TUNSETPERSIST, 1);\n        close(more);"
        )),
    .network(
        "CHECK always fails", fails: ["check"],
        (
            "if (number && strcmp(lease_of(plugin, number).device, device) == 0 && if_nametoindex(device)) "
                + "return json_object();",
            ""
        )),
    .network(
        "CHECK looks at nothing", fails: ["check-unknown", "check-deleted", "check-missing-device"],
        (
            "if (number && strcmp(lease_of(plugin, number).device, device) == 0 && if_nametoindex(device)) return",
            "return"
        )),
    .network(
        "DEL needs the device", fails: ["del-missing-device"],
        (
            "    if (if_nametoindex(lease.device)) {",
            "    if (!if_nametoindex(lease.device)) return fail(\"NOT_FOUND\", \"none\", \"none\"), 0;\n    if (1) {"
        )),
    .network(
        "GC takes all", fails: ["gc", "gc-again"],
        ("if (keep[number] || !*owner", "if (!*owner")),
    .network(
        "GC says that it has taken what it has kept", fails: ["gc", "gc-again"],
        (
            "if (keep[number] || !*owner || !release(plugin, number)) continue;",
            "if (!*owner) continue;\n        if (!keep[number]) release(plugin, number);"
        )),
    .network(
        "the seventeenth pod gets the first one's device", fails: ["concurrent-add"],
        ("\"tap%08x\", host)", "\"tap%08x\", host & ~16u)")),
    .network(
        "calls run into each other", fails: ["concurrent-add-same"],
        ("    pthread_mutex_lock(&plugin->lock);", ""), ("    pthread_mutex_unlock(&plugin->lock);", ""),
        ("    if (!number && !(number =", "    if (!number) usleep(50000);\n    if (!number && !(number =")),
    .network(
        "a cancelled ADD leaves everything", fails: ["cancel"],
        (
            "    else result = verbs[verb].perform(plugin, request);",
            "    else {\n"
                + "        result = verbs[verb].perform(plugin, request);\n"
                + "        usleep(2000);\n"
                + "        if (poll(&(struct pollfd){ call->cancelled, POLLIN, 0 }, 1, 0) > 0) fail(\"CANCELLED\", "
                + "\"late\", \"late\");\n"
                + "    }"
        )),
    .network(
        "after a cancelled ADD nothing works", fails: ["cancel-retry"],
        (
            "    else if (poll(&(struct pollfd){ call->cancelled, POLLIN, 0 }, 1, 0) > 0) fail(",
            "    else if (stuck || (usleep(2000), poll(&(struct pollfd){ call->cancelled, POLLIN, 0 }, 1, 0) > "
                + "0)) stuck = 1, fail("
        ),
        ("static void call(void *handle,", "static int stuck;\nstatic void call(void *handle,")),
    .network(
        "ADD takes its time, whatever it has", fails: ["deadline"],
        ("    int known = ", "    sleep(30);\n    int known = ")),
    .network(
        "nothing is known after a start", fails: ["restart"],
        (
            "    return plugin;\n}",
            "    for (unsigned number = FIRST; number <= LAST; number++) unlinkat(leases, lease_of(plugin, "
                + "number).address, 0);\n"
                + "    return plugin;\n"
                + "}"
        )),
    .network(
        "an ADD that was cut off cannot be repeated", fails: ["kill-in-add"],
        (
            "    if (!make_tap(plugin, number)) {",
            "    if (known && !if_nametoindex(lease.device)) return fail(\"INTERNAL\", \"half\", \"half\");\n"
                + "    usleep(3000);\n"
                + "    if (!make_tap(plugin, number)) {"
        )),
    .network(
        "DEL leaves a device that was cut off", fails: ["kill-and-del"],
        ("        if (!made) return 0;", "        if (!made) return 0;\n        usleep(4000);"),
        (
            "/* Takes the device away, and then",
            """
            static int is_up(const char *device) {
                char path[64], byte;
                snprintf(path, sizeof path, "/sys/class/net/%s/carrier", device);
                int file = open(path, O_RDONLY), up = read(file, &byte, 1) == 1;
                close(file);
                return up;
            }
            /* Takes the device away, and then
            """
        ),
        (
            "    if (if_nametoindex(lease.device)) {",
            "    if (if_nametoindex(lease.device) && !is_up(lease.device)) return 1;\n"
                + "    if (if_nametoindex(lease.device)) {"
        )),
    .network(
        "an unknown verb is a wrong argument", fails: ["verb-unknown"],
        ("fail(\"UNIMPLEMENTED\", \"verbUnknown\"", "fail(\"INVALID_ARGUMENT\", \"verbUnknown\"")),
    .network(
        "garbage is taken for an object", fails: ["garbage"],
        (
            "    else if (!json_is_object(request)) malformed(request ? \"the request is no object\" : error.text);",
            "    else if (!request) abort();"
        )),
    .network(
        "types are not looked at", fails: ["wrong-types"],
        ("    if (!json_is_array(valid)) return malformed(\"valid is no array\");", "")),
    .network(
        "what is not known is refused", fails: ["unknown-members"],
        (
            "    json_t *ports = json_object_get(request, \"portMappings\"),",
            "    if (json_object_get(request, \"someday\")) return malformed(\"someday\");\n"
                + "    json_t *ports = json_object_get(request, \"portMappings\"),"
        )),
    .network(
        "a name ends the process", fails: ["hostile-names"],
        (
            "    int length = snprintf(owner, PATH_MAX,",
            "    if (strstr(network, \"reboot\")) abort();\n    int length = snprintf(owner, PATH_MAX,"
        )),
]
