/* Allocations that fail on demand: what faults.so, preloaded, offers.

   While a window is open every allocation of the process is counted, whoever
   makes it, and the n-th fails, or the n-th and all that follow. */
#ifndef PREFOP_TEST_FAULTS_H
#define PREFOP_TEST_FAULTS_H

#include <stddef.h>
#include <stdint.h>

/* Whose code called the allocator. */
typedef enum faults_owner {
  FAULTS_OTHER,
  FAULTS_PREFOP,
  FAULTS_CURL,
  FAULTS_CRYPTO, /* libcrypto and libssl */
  FAULTS_LIBC,   /* strdup, getaddrinfo, fopen...: on whose behalf is not known */
  FAULTS_OWNERS
} faults_owner;

typedef enum faults_mode { FAULTS_ONCE, FAULTS_PERSISTENT } faults_mode;

#define FAULTS_RECORDED 65536

typedef struct faults_report {
  uint32_t allocations;            /* seen while the window was open */
  uint32_t failed;                 /* of these, made to fail */
  uint32_t failed_of_prefop;       /* of the failed, the library's own */
  uint8_t first_owner;             /* faults_owner of the first that failed */
  uint8_t owners[FAULTS_RECORDED]; /* faults_owner of each, in order */
} faults_report;

/* Learns where the libraries are; before it every caller is FAULTS_OTHER. */
__attribute__((weak)) void faults_start(void);

/* n counts from 1; 0: count only.  `report` is filled in as things happen, so
   that, in shared memory, it survives a crash. */
__attribute__((weak)) void faults_open(uint32_t n, faults_mode mode, faults_report *report);
__attribute__((weak)) void faults_close(void);

/* Blocks allocated since faults_start by that owner and not freed yet. */
__attribute__((weak)) size_t faults_live(faults_owner owner);

/* "libcurl.so.4+0x1234" for an address of code. */
__attribute__((weak)) void faults_place(const void *address, char *text, size_t size);
__attribute__((weak)) faults_owner faults_owner_of(const void *address);

#endif
