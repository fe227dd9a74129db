/*
 * layout: sizes and offsets of the public structs and the numbers of the enums, as they are in each program that was
 * ever compiled against these headers. They never change; a new field or number is added at the end, and here.
 * Compiling is the whole test.
 */
#include <assert.h>
#include <stddef.h>

#include <teu/teu.h>

#define SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type)
#define AT(type, field, bytes) static_assert(offsetof(type, field) == (bytes), #type "." #field)
#define IS(name, number) static_assert((name) == (number), #name)

static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8, "the numbers below are those of LP64");

SIZE(teu_progress, 32);
AT(teu_progress, id, 0);
AT(teu_progress, action, 8);
AT(teu_progress, done, 16);
AT(teu_progress, total, 24);

SIZE(teu_engine_options, 56);
AT(teu_engine_options, size, 0);
AT(teu_engine_options, state_root, 8);
AT(teu_engine_options, run_root, 16);
AT(teu_engine_options, cgroup_parent, 24);
AT(teu_engine_options, log, 32);
AT(teu_engine_options, log_data, 40);
AT(teu_engine_options, delete_in_background, 48);

SIZE(teu_pull_options, 104);
AT(teu_pull_options, size, 0);
AT(teu_pull_options, platform, 8);
AT(teu_pull_options, timeout_ms, 16);
AT(teu_pull_options, insecure, 24);
AT(teu_pull_options, ca_file, 32);
AT(teu_pull_options, username, 40);
AT(teu_pull_options, password, 48);
AT(teu_pull_options, auth_file, 56);
AT(teu_pull_options, parallel, 64);
AT(teu_pull_options, max_layer_size, 72);
AT(teu_pull_options, progress, 80);
AT(teu_pull_options, progress_data, 88);
AT(teu_pull_options, cancel, 96);

SIZE(teu_import_options, 64);
AT(teu_import_options, size, 0);
AT(teu_import_options, changes_json, 8);
AT(teu_import_options, message, 16);
AT(teu_import_options, platform, 24);
AT(teu_import_options, max_layer_size, 32);
AT(teu_import_options, progress, 40);
AT(teu_import_options, progress_data, 48);
AT(teu_import_options, cancel, 56);

SIZE(teu_save_options, 24);
AT(teu_save_options, size, 0);
AT(teu_save_options, format, 8);
AT(teu_save_options, cancel, 16);

SIZE(teu_load_options, 48);
AT(teu_load_options, size, 0);
AT(teu_load_options, platform, 8);
AT(teu_load_options, max_layer_size, 16);
AT(teu_load_options, progress, 24);
AT(teu_load_options, progress_data, 32);
AT(teu_load_options, cancel, 40);

SIZE(teu_image_remove_options, 16);
AT(teu_image_remove_options, size, 0);
AT(teu_image_remove_options, force, 8);

SIZE(teu_create_options, 16);
AT(teu_create_options, size, 0);
AT(teu_create_options, name, 8);

SIZE(teu_attach_options, 32);
AT(teu_attach_options, size, 0);
AT(teu_attach_options, stdin_stream, 8);
AT(teu_attach_options, stdout_stream, 12);
AT(teu_attach_options, stderr_stream, 16);
AT(teu_attach_options, rows, 20);
AT(teu_attach_options, columns, 24);

SIZE(teu_start_options, 16);
AT(teu_start_options, size, 0);
AT(teu_start_options, attach, 8);

SIZE(teu_wait_options, 24);
AT(teu_wait_options, size, 0);
AT(teu_wait_options, timeout_ms, 8);
AT(teu_wait_options, cancel, 16);

SIZE(teu_remove_options, 16);
AT(teu_remove_options, size, 0);
AT(teu_remove_options, force, 8);
AT(teu_remove_options, volumes, 12);

SIZE(teu_log_record, 32);
AT(teu_log_record, stream, 0);
AT(teu_log_record, time_ns, 8);
AT(teu_log_record, text, 16);
AT(teu_log_record, len, 24);

SIZE(teu_logs_options, 48);
AT(teu_logs_options, size, 0);
AT(teu_logs_options, follow, 8);
AT(teu_logs_options, tail, 16);
AT(teu_logs_options, since_ns, 24);
AT(teu_logs_options, until_ns, 32);
AT(teu_logs_options, cancel, 40);

SIZE(teu_copy_options, 40);
AT(teu_copy_options, size, 0);
AT(teu_copy_options, stdin_fd, 8);
AT(teu_copy_options, stdout_fd, 12);
AT(teu_copy_options, stderr_fd, 16);
AT(teu_copy_options, detach_keys, 24);
AT(teu_copy_options, wake_fd, 32);

SIZE(teu_namespace_options, 56);
AT(teu_namespace_options, size, 0);
AT(teu_namespace_options, namespaces, 8);
AT(teu_namespace_options, hostname, 16);
AT(teu_namespace_options, env, 24);
AT(teu_namespace_options, cwd, 32);
AT(teu_namespace_options, stdin_fd, 40);
AT(teu_namespace_options, stdout_fd, 44);
AT(teu_namespace_options, stderr_fd, 48);

SIZE(teu_runtime_options, 48);
AT(teu_runtime_options, size, 0);
AT(teu_runtime_options, root, 8);
AT(teu_runtime_options, cgroup_manager, 16);
AT(teu_runtime_options, log, 24);
AT(teu_runtime_options, log_data, 32);
AT(teu_runtime_options, rootless, 40);

SIZE(teu_runtime_create_options, 96);
AT(teu_runtime_create_options, size, 0);
AT(teu_runtime_create_options, bundle, 8);
AT(teu_runtime_create_options, config, 16);
AT(teu_runtime_create_options, pid_file, 24);
AT(teu_runtime_create_options, console_socket, 32);
AT(teu_runtime_create_options, console_fd, 40);
AT(teu_runtime_create_options, pidfd_socket, 48);
AT(teu_runtime_create_options, stdin_fd, 56);
AT(teu_runtime_create_options, stdout_fd, 60);
AT(teu_runtime_create_options, stderr_fd, 64);
AT(teu_runtime_create_options, preserve_fds, 68);
AT(teu_runtime_create_options, listen_fds, 72);
AT(teu_runtime_create_options, no_pivot, 76);
AT(teu_runtime_create_options, no_new_keyring, 80);
AT(teu_runtime_create_options, notify_socket, 88);

SIZE(teu_runtime_exec_options, 72);
AT(teu_runtime_exec_options, size, 0);
AT(teu_runtime_exec_options, merge, 8);
AT(teu_runtime_exec_options, ignore_paused, 12);
AT(teu_runtime_exec_options, cgroups, 16);
AT(teu_runtime_exec_options, pid_file, 24);
AT(teu_runtime_exec_options, console_socket, 32);
AT(teu_runtime_exec_options, pidfd_socket, 40);
AT(teu_runtime_exec_options, console_fd, 48);
AT(teu_runtime_exec_options, stdin_fd, 52);
AT(teu_runtime_exec_options, stdout_fd, 56);
AT(teu_runtime_exec_options, stderr_fd, 60);
AT(teu_runtime_exec_options, preserve_fds, 64);

SIZE(teu_runtime_checkpoint_options, 96);
AT(teu_runtime_checkpoint_options, size, 0);
AT(teu_runtime_checkpoint_options, image_path, 8);
AT(teu_runtime_checkpoint_options, work_path, 16);
AT(teu_runtime_checkpoint_options, parent_path, 24);
AT(teu_runtime_checkpoint_options, pre_dump, 32);
AT(teu_runtime_checkpoint_options, leave_running, 36);
AT(teu_runtime_checkpoint_options, tcp_established, 40);
AT(teu_runtime_checkpoint_options, tcp_skip_in_flight, 44);
AT(teu_runtime_checkpoint_options, link_remap, 48);
AT(teu_runtime_checkpoint_options, ext_unix_sk, 52);
AT(teu_runtime_checkpoint_options, shell_job, 56);
AT(teu_runtime_checkpoint_options, file_locks, 60);
AT(teu_runtime_checkpoint_options, auto_dedup, 64);
AT(teu_runtime_checkpoint_options, lazy_pages, 68);
AT(teu_runtime_checkpoint_options, status_fd, 72);
AT(teu_runtime_checkpoint_options, page_server, 80);
AT(teu_runtime_checkpoint_options, manage_cgroups_mode, 88);

SIZE(teu_runtime_restore_options, 112);
AT(teu_runtime_restore_options, size, 0);
AT(teu_runtime_restore_options, bundle, 8);
AT(teu_runtime_restore_options, image_path, 16);
AT(teu_runtime_restore_options, work_path, 24);
AT(teu_runtime_restore_options, pid_file, 32);
AT(teu_runtime_restore_options, console_socket, 40);
AT(teu_runtime_restore_options, console_fd, 48);
AT(teu_runtime_restore_options, stdin_fd, 52);
AT(teu_runtime_restore_options, stdout_fd, 56);
AT(teu_runtime_restore_options, stderr_fd, 60);
AT(teu_runtime_restore_options, tcp_established, 64);
AT(teu_runtime_restore_options, ext_unix_sk, 68);
AT(teu_runtime_restore_options, shell_job, 72);
AT(teu_runtime_restore_options, file_locks, 76);
AT(teu_runtime_restore_options, auto_dedup, 80);
AT(teu_runtime_restore_options, lazy_pages, 84);
AT(teu_runtime_restore_options, manage_cgroups_mode, 88);
AT(teu_runtime_restore_options, lsm_profile, 96);
AT(teu_runtime_restore_options, lsm_mount_context, 104);

IS(TEU_OK, 0);
IS(TEU_E_INVALID, -1);
IS(TEU_E_NOT_FOUND, -2);
IS(TEU_E_CONFLICT, -3);
IS(TEU_E_AUTH, -4);
IS(TEU_E_NETWORK, -5);
IS(TEU_E_TIMEOUT, -6);
IS(TEU_E_CORRUPT, -7);
IS(TEU_E_CANCELLED, -8);
IS(TEU_E_UNSUPPORTED, -9);
IS(TEU_E_PERMISSION, -10);
IS(TEU_E_NO_SPACE, -11);
IS(TEU_E_NO_MEMORY, -12);
IS(TEU_E_LIMIT, -13);
IS(TEU_E_SYSTEM, -14);
IS(TEU_E_LAUNCH, -15);
IS(TEU_E_NOT_EXECUTABLE, -16);
IS(TEU_E_NO_COMMAND, -17);
IS(TEU_E_FORKED, -18);

IS(TEU_LOG_DEBUG, 0);
IS(TEU_LOG_INFO, 1);
IS(TEU_LOG_WARNING, 2);

IS(TEU_ARCHIVE_DOCKER, 0);
IS(TEU_ARCHIVE_OCI, 1);

IS(TEU_STATE_CREATED, 0);
IS(TEU_STATE_RUNNING, 1);
IS(TEU_STATE_PAUSED, 2);
IS(TEU_STATE_RESTARTING, 3);
IS(TEU_STATE_EXITED, 4);
IS(TEU_STATE_REMOVING, 5);

IS(TEU_STDIN, 0);
IS(TEU_STDOUT, 1);
IS(TEU_STDERR, 2);

IS(TEU_NS_MOUNT, 1);
IS(TEU_NS_UTS, 2);
IS(TEU_NS_IPC, 4);
IS(TEU_NS_PID, 8);
IS(TEU_NS_NETWORK, 16);
IS(TEU_NS_USER, 32);
IS(TEU_NS_CGROUP, 64);

int main(void)
{
	return 0;
}
