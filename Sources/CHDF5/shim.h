// HDF5 for Swift: what its headers say with macros, said with functions, so that one source works with HDF5 1.10 to 1.14.
#ifndef GRAFT_CHDF5_SHIM_H
#define GRAFT_CHDF5_SHIM_H

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

// Types and property-list classes are macros that first open the library.
static inline hid_t graft_h5_float32(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t graft_h5_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t graft_h5_file_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t graft_h5_file_int64(void) { return H5T_STD_I64LE; }
static inline hid_t graft_h5_c_string(void) { return H5T_C_S1; }
static inline hid_t graft_h5_link_creation(void) { return H5P_LINK_CREATE; }
static inline hid_t graft_h5_dataset_creation(void) { return H5P_DATASET_CREATE; }

/// How to open a file: the oldest layout, everything closed with the file, no advisory lock, so that two processes may
/// read one file from any file system. (Locks can be switched off since 1.10.7 and 1.12.1.)
static inline hid_t graft_h5_file_access(void) {
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    if (list < 0) return list;
    H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
    H5Pset_libver_bounds(list, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0))
    H5Pset_file_locking(list, 0, 1);
#endif
    return list;
}

static inline hid_t graft_h5_open(const char *path, hid_t access) { return H5Fopen(path, H5F_ACC_RDONLY, access); }
static inline hid_t graft_h5_create(const char *path, hid_t access) {
    return H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
}

/// The kind of a link: 0 hard, 1 soft, 2 external or defined by a user, -1 none or unreadable.
/// (`H5Lget_info` and its structure are versioned macros; both names follow the same choice.)
static inline int graft_h5_link_kind(hid_t group, const char *name) {
    if (H5Lexists(group, name, H5P_DEFAULT) <= 0) return -1;
    H5L_info_t info;
    if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) return -1;
    return info.type == H5L_TYPE_HARD ? 0 : info.type == H5L_TYPE_SOFT ? 1 : 2;
}

static inline hid_t graft_h5_open_object(hid_t group, const char *name) { return H5Oopen(group, name, H5P_DEFAULT); }

static inline herr_t graft_h5_read(hid_t dataset, hid_t type, void *values) {
    return H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
}
static inline herr_t graft_h5_write(hid_t dataset, hid_t type, const void *values) {
    return H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
}
static inline hid_t graft_h5_create_dataset(hid_t group, const char *name, hid_t type, hid_t space) {
    return H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}
static inline hid_t graft_h5_create_group(hid_t group, const char *name) {
    return H5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}
static inline hid_t graft_h5_create_attribute(hid_t object, const char *name, hid_t type, hid_t space) {
    return H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
}
static inline herr_t graft_h5_reclaim(hid_t type, hid_t space, void *values) {
    return H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
}
static inline size_t graft_h5_variable_length(void) { return H5T_VARIABLE; }

/// HDF5's printing of errors, to be put back as it was found.
struct graft_h5_printing { H5E_auto2_t function; void *data; };
static inline struct graft_h5_printing graft_h5_silence(void) {
    struct graft_h5_printing was = {NULL, NULL};
    H5Eget_auto2(H5E_DEFAULT, &was.function, &was.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return was;
}
static inline void graft_h5_restore(struct graft_h5_printing was) {
    H5Eset_auto2(H5E_DEFAULT, was.function, was.data);
}

struct graft_h5_message { char *text; size_t capacity; };
static inline herr_t graft_h5_first_description(unsigned n, const H5E_error2_t *error, void *data) {
    struct graft_h5_message *message = (struct graft_h5_message *)data;
    if (n == 0) snprintf(message->text, message->capacity, "%s", error->desc ? error->desc : "");
    return 0;
}
/// The innermost description on HDF5's error stack, which is then cleared.
static inline void graft_h5_take_message(char *text, size_t capacity) {
    struct graft_h5_message message = {text, capacity};
    text[0] = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, graft_h5_first_description, &message);
    H5Eclear2(H5E_DEFAULT);
}

#endif
