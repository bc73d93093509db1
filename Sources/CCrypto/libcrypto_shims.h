/* Typed one-liners over libcrypto's macros and variadic functions.  No logic here. */
#ifndef PREFOP_LIBCRYPTO_SHIMS_H
#define PREFOP_LIBCRYPTO_SHIMS_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static inline EVP_MAC *prefop_crypto_fetch_hmac(void) { return EVP_MAC_fetch(NULL, "HMAC", NULL); }

static inline int prefop_crypto_init(void) {
  return OPENSSL_init_crypto(OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS |
                                 OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_LOAD_CONFIG,
      NULL);
}

static inline int prefop_crypto_key_sha1(EVP_MAC_CTX *context, const unsigned char *key, size_t length) {
  const OSSL_PARAM parameters[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA1", 4), OSSL_PARAM_END};
  return EVP_MAC_init(context, key, length, parameters);
}

static inline int prefop_crypto_rewind(EVP_MAC_CTX *context) { return EVP_MAC_init(context, NULL, 0, NULL); }

static inline void prefop_crypto_raise(unsigned long code, const char *data) {
  ERR_set_error(ERR_GET_LIB(code), ERR_GET_REASON(code), data ? "%s" : NULL, data);
}

#endif
