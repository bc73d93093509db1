/* Typed one-liners over libcrypto's macros and variadic functions.  No logic here. */
#ifndef PREFOP_LIBCRYPTO_SHIMS_H
#define PREFOP_LIBCRYPTO_SHIMS_H

/* The plain SHA-1 functions are discouraged since 3.0, but need no memory and
   cannot fail; see Signer. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

static inline int prefop_crypto_init(void) {
  return OPENSSL_init_crypto(OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS |
                                 OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_LOAD_CONFIG,
      NULL);
}

static inline void prefop_crypto_raise(unsigned long code, const char *data) {
  ERR_set_error(ERR_GET_LIB(code), ERR_GET_REASON(code), data ? "%s" : NULL, data);
}

#endif
