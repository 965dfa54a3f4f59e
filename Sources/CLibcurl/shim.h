// What Swift cannot call in libcurl: its setters and getters are variadic, and variadic C functions
// are not imported. One typed function for each kind of value, and nothing else.

#ifndef METERFLOW_CLIBCURL_SHIM_H
#define METERFLOW_CLIBCURL_SHIM_H

#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87 or newer is needed (CURLOPT_QUICK_EXIT, CURLOPT_PREREQFUNCTION)"
#endif

#pragma clang assume_nonnull begin

// Switches, numbers and enumerations.
static inline CURLcode meterflow_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

// Sizes, which pass 32 bits.
static inline CURLcode meterflow_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

// Strings that libcurl copies: nothing has to outlive the call.
static inline CURLcode meterflow_curl_set_string(CURL *handle, CURLoption option,
                                                 const char *value) {
    return curl_easy_setopt(handle, option, value);
}

// Memory that libcurl keeps: it must outlive the handle (the error buffer, the private pointer).
static inline CURLcode meterflow_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

// The header list, which libcurl does not copy: it must outlive the handle.
static inline CURLcode meterflow_curl_set_headers(CURL *handle, struct curl_slist *list) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
}

// The recipients of a mail, which libcurl does not copy either.
static inline CURLcode meterflow_curl_set_recipients(CURL *handle, struct curl_slist *list) {
    return curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, list);
}

// Since 8.2 without the third L, which remains as a macro that Swift does not see.
static inline CURLcode meterflow_curl_allow_refused_recipients(CURL *handle) {
    return curl_easy_setopt(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
}

// A callback is set together with its context, so that neither can be forgotten.

typedef size_t (*meterflow_curl_write)(char *bytes, size_t size, size_t count,
                                       void *_Nullable context);

static inline CURLcode meterflow_curl_on_header(CURL *handle, meterflow_curl_write callback,
                                                void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, callback);
    return code ? code : curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
}

static inline CURLcode meterflow_curl_on_body(CURL *handle, meterflow_curl_write callback,
                                              void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, callback);
    return code ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}

typedef size_t (*meterflow_curl_read)(char *buffer, size_t size, size_t count,
                                      void *_Nullable context);

static inline CURLcode meterflow_curl_on_read(CURL *handle, meterflow_curl_read callback,
                                              void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, callback);
    return code ? code : curl_easy_setopt(handle, CURLOPT_READDATA, context);
}

typedef int (*meterflow_curl_seek)(void *_Nullable context, curl_off_t offset, int origin);

static inline CURLcode meterflow_curl_on_seek(CURL *handle, meterflow_curl_seek callback,
                                              void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, callback);
    return code ? code : curl_easy_setopt(handle, CURLOPT_SEEKDATA, context);
}

typedef int (*meterflow_curl_before_request)(void *_Nullable context, char *_Nullable remote_address,
                                             char *_Nullable local_address, int remote_port,
                                             int local_port);

static inline CURLcode meterflow_curl_on_before_request(CURL *handle,
                                                        meterflow_curl_before_request callback,
                                                        void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
    return code ? code : curl_easy_setopt(handle, CURLOPT_PREREQDATA, context);
}

// Counters; zero where libcurl has none.
static inline curl_off_t meterflow_curl_get_offset(CURL *handle, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

static inline long meterflow_curl_get_long(CURL *handle, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

// The pointer given as CURLOPT_PRIVATE.
static inline void *_Nullable meterflow_curl_get_private(CURL *handle) {
    char *value = 0;
    return curl_easy_getinfo(handle, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : 0;
}

static inline CURLMcode meterflow_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// curl_global_init's flag is a macro expression that Swift does not import.
static inline CURLcode meterflow_curl_global_init(void) {
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

// The return values that pause a direction are macros with casts.
static inline size_t meterflow_curl_write_pause(void) { return CURL_WRITEFUNC_PAUSE; }
static inline size_t meterflow_curl_read_pause(void) { return CURL_READFUNC_PAUSE; }
static inline size_t meterflow_curl_read_abort(void) { return CURL_READFUNC_ABORT; }

#pragma clang assume_nonnull end

#endif
