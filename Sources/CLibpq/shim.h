#ifndef METERFLOW_CLIBPQ_SHIM_H
#define METERFLOW_CLIBPQ_SHIM_H

#include <libpq-fe.h>
// poll(2) on libpq's socket, and the descriptor that interrupts it: Swift's Glibc module has no eventfd.
#include <poll.h>
#include <sys/eventfd.h>

#endif
