/*
 * The interface between Carpel's plugin host and a plugin: version 1.
 *
 * A plugin is a shared library that exports one function, carpel_plugin(), which returns a table of functions.
 * Only bytes cross: requests and answers are JSON texts in UTF-8, without a terminating NUL. The verbs and the
 * members of their requests and answers are listed in CarpelPluginSDK.
 *
 * A plugin has a process of its own, with the capabilities and system calls that its manifest names. Its working
 * directory is its state folder. What it writes on standard output or standard error goes to the daemon's log, line
 * by line. It is started again when it dies, and the verb that it died in is asked for once more: every verb must stand
 * being repeated. While a new version takes the place of an old one, both run, each in its own process.
 *
 * The header is C11 and C++17, and needs nothing but the standard library's types.
 */
#ifndef CARPEL_PLUGIN_H
#define CARPEL_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when the interface changes in a way that an older plugin or host cannot cope with. Members are only ever
 * added at the end of a struct; who reads one compares struct_size with the member's offset first. */
#define CARPEL_PLUGIN_ABI_VERSION 1

/* Bytes that somebody lends. In an answer they are the plugin's, until the host calls free_buffer. */
struct carpel_buffer {
    const uint8_t *bytes;
    size_t length;
};

/* What a plugin is told when it is created. The texts are NUL-terminated, and are gone when create returns. */
struct carpel_environment {
    /* sizeof(struct carpel_environment) of the host's header. */
    size_t struct_size;
    /* The name in the manifest. */
    const char *name;
    /* A folder of the plugin's own, which exists and outlives the process: the place for what must not be lost. Others
     * may pass through it to a path that they know, but not list it. */
    const char *state_folder;
    /* The plugin's part of the daemon's configuration, a JSON object; "{}" if there is none. */
    struct carpel_buffer configuration;
    /* The group that QEMU runs in: who must open a tap device or a disk. */
    uint32_t machine_group;
};

/* One call. Everything that it points to is valid until the call has returned. */
struct carpel_call {
    /* sizeof(struct carpel_call) of the host's header. */
    size_t struct_size;
    /* What is asked for: "ADD", "CreateVolume" and so on. NUL-terminated. */
    const char *verb;
    /* A JSON object. A plugin must stand anything else, and answer it with INVALID_ARGUMENT. */
    struct carpel_buffer request;
    /* When the caller stops waiting: nanoseconds of CLOCK_MONOTONIC. */
    uint64_t deadline;
    /* Becomes readable when the caller no longer wants the answer, at the deadline at the latest. Not to be read or
     * closed; poll(2) it, or pass it by. A call that has not returned five seconds later costs the plugin its process. */
    int cancelled;
};

/* The table of a plugin. */
struct carpel_plugin {
    /* CARPEL_PLUGIN_ABI_VERSION of the header that the plugin was compiled with. */
    uint32_t abi_version;
    /* sizeof(struct carpel_plugin) of that header. */
    size_t struct_size;

    /* Makes the plugin ready for calls. Called once, before everything else.
     * Returns the plugin's own handle; or NULL, with an answer {"error": …} that says why not. After one with the code
     * UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED or DEADLINE_EXCEEDED it is tried again later, in a new process. */
    void *(*create)(const struct carpel_environment *environment, struct carpel_buffer *answer);

    /* Does what the verb says and answers {"result": {…}} or {"error": {"code": …, "reason": …, "message": …}}, at most
     * 16 MiB. The code is one of gRPC's names, the reason a stable word, the message for people. A verb that it does not
     * know it answers with UNIMPLEMENTED.
     * Called from several threads at once; returns when the verb is done, or as soon as it can after a cancellation. */
    void (*call)(void *handle, const struct carpel_call *call, struct carpel_buffer *answer);

    /* Takes back an answer, from any thread. */
    void (*free_buffer)(void *handle, struct carpel_buffer answer);

    /* Called once, after the last call has returned; the process ends after it. It may also end without. */
    void (*destroy)(void *handle);
};

/* The one symbol of a plugin. The table is valid as long as the library is loaded. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct carpel_plugin *carpel_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
