#include <sys/ioctl.h>
#include <pthread.h>
#include <sys/vfs.h>
#include <netlink/netlink.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/action.h>
#include <netlink/route/act/mirred.h>
#include <linux/if_tun.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_mirred.h>

/* Swift sees no macro with a cast or an expression of other macros. */
static const unsigned long carpel_tunsetiff = TUNSETIFF;
static const unsigned long carpel_tunsetpersist = TUNSETPERSIST;
static const unsigned long carpel_tunsetgroup = TUNSETGROUP;
static const unsigned long carpel_tunsetoffload = TUNSETOFFLOAD;
static const unsigned long carpel_tungetiff = TUNGETIFF;
static const uint32_t carpel_tc_h_ingress = TC_H_INGRESS;
static const uint32_t carpel_tc_h_root = TC_H_ROOT;

/* Swift's own module of the C library leaves out what needs _GNU_SOURCE. */
extern int unshare(int flags);
extern int setns(int descriptor, int kind);
extern int pthread_setname_np(pthread_t thread, const char *name);
static const int carpel_clone_newnet = 0x40000000;

