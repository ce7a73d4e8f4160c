#pragma once
#include <linux/kvm.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>

// The request numbers are built by function-like macros, which Swift does not import.
static const unsigned long carpel_kvm_get_api_version = KVM_GET_API_VERSION;
static const unsigned long carpel_kvm_create_vm = KVM_CREATE_VM;
static const unsigned long carpel_kvm_get_vcpu_mmap_size = KVM_GET_VCPU_MMAP_SIZE;
static const unsigned long carpel_kvm_create_vcpu = KVM_CREATE_VCPU;
static const unsigned long carpel_kvm_set_user_memory_region = KVM_SET_USER_MEMORY_REGION;
static const unsigned long carpel_kvm_get_sregs = KVM_GET_SREGS;
static const unsigned long carpel_kvm_set_sregs = KVM_SET_SREGS;
static const unsigned long carpel_kvm_set_regs = KVM_SET_REGS;
static const unsigned long carpel_kvm_set_signal_mask = KVM_SET_SIGNAL_MASK;
static const unsigned long carpel_kvm_run = KVM_RUN;
