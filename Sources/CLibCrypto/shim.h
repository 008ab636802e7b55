// OpenSSL's hashes for Swift.
#ifndef GRAFT_CLIBCRYPTO_SHIM_H
#define GRAFT_CLIBCRYPTO_SHIM_H

#include <openssl/crypto.h>
#include <openssl/evp.h>

#if !defined(OPENSSL_VERSION_MAJOR) || OPENSSL_VERSION_MAJOR < 3
#error "Graft needs OpenSSL 3 or newer: Scripts/install-libraries installs its headers"
#endif

#endif
