#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/random.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int carpel_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0; }

int carpel_open_inside(const char *root, const char *path, int flags) {
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -errno;
    struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int file = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    int result = file < 0 ? -errno : file;
    close(folder);
    return result;
}

int carpel_load_module(int descriptor, const char *parameters) {
    return syscall(SYS_finit_module, descriptor, parameters, 0) < 0 ? -errno : 0;
}

int carpel_load_module_image(const void *image, size_t length, const char *parameters) {
    return syscall(SYS_init_module, image, length, parameters) < 0 ? -errno : 0;
}

int carpel_add_entropy(const uint8_t *bytes, size_t count) {
    // struct rand_pool_info: two numbers, then the bytes.
    int pool[2 + 128];
    if (count > sizeof pool - 2 * sizeof(int)) count = sizeof pool - 2 * sizeof(int);
    pool[0] = (int)count * 8;
    pool[1] = (int)count;
    memcpy(&pool[2], bytes, count);
    int file = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    if (file < 0) return -errno;
    int result = ioctl(file, RNDADDENTROPY, pool) < 0 || ioctl(file, RNDRESEEDCRNG) < 0 ? -errno : 0;
    close(file);
    return result;
}

int carpel_interface_up(const char *name) {
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return -errno;
    struct ifreq request = {0};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    int result = ioctl(socket_, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    if (result >= 0) result = ioctl(socket_, SIOCSIFFLAGS, &request);
    result = result < 0 ? -errno : 0;
    close(socket_);
    return result;
}

int carpel_route_request(const void *message, size_t length) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[512];
    } answer = {0};
    int result = 0;
    if (send(descriptor, message, length, 0) < 0 || recv(descriptor, &answer, sizeof answer, 0) < 0)
        result = -errno;
    else if (answer.header.nlmsg_type == NLMSG_ERROR)
        result = answer.error.error;
    close(descriptor);
    return result;
}

int carpel_kernel_log_open(void) {
    int file = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    return file < 0 ? -errno : file;
}

int carpel_cgroup_device_filter(int cgroup, const uint64_t *instructions, size_t count) {
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insns = (uint64_t)(uintptr_t)instructions,
        .insn_cnt = (uint32_t)count,
        .license = (uint64_t)(uintptr_t) "Apache-2.0",
    };
    int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (program < 0) return -errno;
    union bpf_attr attach = {
        .target_fd = (uint32_t)cgroup, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE};
    int result = syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) < 0 ? -errno : 0;
    close(program);  // The cgroup keeps it.
    return result;
}

int carpel_uevent_socket(void) {
    int descriptor = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    if (descriptor < 0) return -errno;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

int carpel_set_namespace(int descriptor, int kind) { return setns(descriptor, kind) < 0 ? -errno : 0; }
