"""What the two seed SDKs and the official Python SDK 0.2.186 can do, and the test that shows it here.

Each row: a feature -> `file::test`, below `tests/`. `test_features.py` checks that every test exists and that nothing
the code offers lacks a row. RUST and RUBY stand for the files with the example programs.
"""

RUST = "parity/test_examples_rust.py"
RUBY = "parity/test_examples_ruby.py"
OPTION = "parity/test_options.py"
CONTROL = "parity/test_controls.py"
NAMES = "parity/test_names.py"
QUERY = "engine/test_query.py"
CLIENT = "engine/test_client.py"
SESSION = "engine/test_session.py"
POOL = "engine/test_pool.py"
STORE = "engine/test_store_wiring.py"
HOOK = "engine/test_hook.py"
TOOL = "engine/test_tool.py"
SERVER = "engine/test_tool_server.py"
CONTENT = "engine/test_content.py"
MESSAGE = "protocol/test_message.py"
KIT = "testing/test_transport.py"
ON_DISK = "sessions/test_real_cli.py"
CHANGE = "sessions/test_change.py"
FROM_STORE = "sessions/test_from_store.py"

OPTIONS = {
    "tools": f"{RUST}::test_02_a_tool_that_is_not_allowed_changes_nothing",
    "allowed_tools": f"{RUST}::test_01_a_one_shot_query_writes_a_script",
    "system_prompt": f"{RUST}::test_13_the_system_prompt_is_the_one_asked_for",
    "mcp_servers": f"{OPTION}::test_a_server_outside_this_process_is_called",
    "strict_mcp_config": f"{OPTION}::test_only_the_servers_given_are_used_when_strict",
    "permission_mode": f"{RUST}::test_01_a_one_shot_query_writes_a_script",
    "continue_conversation": f"{OPTION}::test_session_id_names_the_session_and_continue_takes_the_latest",
    "resume": f"{CLIENT}::test_a_session_goes_on_after_resume",
    "session_id": f"{OPTION}::test_session_id_names_the_session_and_continue_takes_the_latest",
    "max_turns": f"{QUERY}::test_the_turn_limit_is_an_error_with_its_result",
    "max_budget_usd": f"{RUST}::test_18_a_query_over_budget_raises_after_its_result",
    "disallowed_tools": f"{RUST}::test_02_a_tool_that_is_not_allowed_changes_nothing",
    "model": f"{RUST}::test_07_mode_and_model_change_and_a_turn_is_interrupted_while_it_runs",
    "fallback_model": f"{RUST}::test_17_another_model_answers_when_the_first_is_overloaded",
    "betas": f"{RUBY}::test_betas_tools_and_sandbox_reach_the_cli",
    "permission_prompt_tool_name": f"{OPTION}::test_a_tool_may_decide_about_permissions",
    "cwd": f"{QUERY}::test_a_missing_folder_is_named",
    "cli_path": f"{QUERY}::test_no_cli_says_how_to_get_one",
    "settings": f"{OPTION}::test_settings_are_given_as_text_and_hooks_of_settings_are_told",
    "add_dirs": f"{OPTION}::test_folders_are_added_to_what_may_be_written",
    "env": f"{OPTION}::test_the_environment_and_the_name_of_the_program_reach_the_cli",
    "extra_args": f"{RUST}::test_12_debug_output_goes_line_by_line_to_a_callback",
    "max_buffer_size": f"{SESSION}::test_garbage_and_oversized_lines_are_noted_and_the_session_goes_on",
    "debug_stderr": f"{NAMES}::test_a_record_has_its_fields_in_their_order",
    "stderr": f"{RUST}::test_12_debug_output_goes_line_by_line_to_a_callback",
    "can_use_tool": f"{RUST}::test_04_a_policy_decides_and_counts",
    "hooks": f"{RUST}::test_05_a_hook_prints_and_blocks_shell_commands",
    "user": f"{OPTION}::test_the_cli_runs_as_the_user_asked_for",
    "include_partial_messages": f"{RUST}::test_10_text_and_thinking_come_as_deltas",
    "include_hook_events": f"{OPTION}::test_settings_are_given_as_text_and_hooks_of_settings_are_told",
    "forward_subagent_text": f"{OPTION}::test_what_sub_agents_say_is_forwarded",
    "verbatim_prompts": f"{OPTION}::test_a_verbatim_prompt_is_no_command",
    "fork_session": f"{RUST}::test_16_a_fork_keeps_the_history_and_leaves_the_original",
    "resume_session_at": f"{OPTION}::test_a_resumed_session_is_cut_where_it_is_told",
    "resume_drops_turn": f"{OPTION}::test_a_cut_that_would_drop_other_turns_is_refused",
    "agents": f"{RUST}::test_09_a_task_goes_to_the_agent_that_was_defined",
    "setting_sources": f"{RUST}::test_11_settings_come_from_the_sources_asked_for",
    "skills": f"{OPTION}::test_skills_are_those_asked_for",
    "sandbox": f"{RUBY}::test_betas_tools_and_sandbox_reach_the_cli",
    "plugins": f"{RUST}::test_21_a_local_plugin_brings_commands_and_agents",
    "max_thinking_tokens": f"{RUST}::test_19_thinking_is_limited_and_comes_as_blocks",
    "thinking": f"{RUBY}::test_extended_thinking_comes_as_blocks_with_a_signature",
    "effort": f"{OPTION}::test_effort_goes_to_the_api",
    "output_format": f"{RUBY}::test_structured_output_fits_its_schema",
    "enable_file_checkpointing": f"{RUBY}::test_the_rewind_loop_works_as_written",
    "session_store": f"{STORE}::test_when_a_result_is_told_the_store_has_the_turn",
    "session_store_flush": f"{STORE}::test_an_eager_store_has_entries_before_the_turn_ends",
    "load_timeout_ms": f"{STORE}::test_a_store_that_does_not_answer_keeps_nobody_waiting",
    "task_budget": f"{OPTION}::test_a_task_budget_goes_to_the_api",
    "client_app": f"{OPTION}::test_the_environment_and_the_name_of_the_program_reach_the_cli",
    "append_allowed_tools": f"{RUBY}::test_quick_start_uses_tools",
    "on_elicitation": f"{SESSION}::test_elicitations_are_declined_unless_someone_answers",
    "on_user_dialog": f"{SESSION}::test_dialogs_stay_open_unless_someone_answers",
    "supported_dialog_kinds": f"{OPTION}::test_what_the_cli_may_offer_is_asked_for_at_the_start",
    "replay_user_messages": f"{RUBY}::test_the_rewind_loop_works_as_written",
    "agent": f"{OPTION}::test_an_agent_may_answer_the_prompts_itself",
    "title": f"{OPTION}::test_a_session_may_be_given_its_title",
    "prompt_suggestions": f"{OPTION}::test_what_the_cli_may_offer_is_asked_for_at_the_start",
    "agent_progress_summaries": f"{OPTION}::test_what_the_cli_may_offer_is_asked_for_at_the_start",
    "persist_session": f"{OPTION}::test_a_session_may_stay_off_the_disk",
    "control_timeout": f"{SESSION}::test_a_request_nobody_answers_times_out_and_its_late_reply_is_dropped",
}
"""Every field of `ClaudeAgentOptions`."""

METHODS = {
    "connect": f"{CLIENT}::test_a_prompt_given_to_connect_is_the_first",
    "disconnect": f"{CLIENT}::test_connect_and_disconnect_may_be_called_from_different_tasks",
    "query": f"{RUST}::test_06_a_client_keeps_the_context_between_prompts",
    "receive_messages": f"{RUST}::test_14_messages_are_handled_one_by_one_by_hand",
    "receive_response": f"{CLIENT}::test_extra_turns_are_seen_and_end_no_response",
    "session": f"{RUST}::test_16_each_session_has_a_context_of_its_own",
    "sessions": f"{POOL}::test_sessions_work_at_once_and_each_answer_is_found_by_its_name",
    "session_id": f"{RUST}::test_16_a_fork_keeps_the_history_and_leaves_the_original",
    "new_session": f"{RUST}::test_16_each_session_has_a_context_of_its_own",
    "fork_session": f"{POOL}::test_a_fork_knows_what_was_said_and_goes_its_own_way",
    "prewarm": f"{POOL}::test_a_warmed_up_session_is_the_next_one_begun",
    "server_info": f"{RUBY}::test_client_example_asks_twice_in_one_session",
    "get_server_info": f"{RUST}::test_14_the_cli_tells_about_itself",
    "request": f"{CLIENT}::test_an_unknown_control_request_is_refused_with_its_code",
    "interrupt": f"{RUST}::test_07_mode_and_model_change_and_a_turn_is_interrupted_while_it_runs",
    "cancel_queued_prompt": f"{CLIENT}::test_queued_prompts_can_be_cancelled",
    "stop_task": f"{CONTROL}::test_a_background_shell_is_read_and_stopped",
    "background_tasks": f"{CONTROL}::test_a_background_shell_is_read_and_stopped",
    "get_task_output": f"{CONTROL}::test_a_background_shell_is_read_and_stopped",
    "set_model": f"{RUST}::test_07_mode_and_model_change_and_a_turn_is_interrupted_while_it_runs",
    "set_permission_mode": f"{RUST}::test_07_mode_and_model_change_and_a_turn_is_interrupted_while_it_runs",
    "set_max_thinking_tokens": f"{CONTROL}::test_thinking_changes_while_a_session_runs",
    "apply_flag_settings": f"{CONTROL}::test_the_cli_tells_its_models_costs_settings_and_limits",
    "get_settings": f"{CONTROL}::test_the_cli_tells_its_models_costs_settings_and_limits",
    "rewind_files": f"{CLIENT}::test_rewind_says_what_would_change_and_then_does_it",
    "seed_read_state": f"{CONTROL}::test_files_are_read_and_marked_as_read",
    "read_file": f"{CONTROL}::test_files_are_read_and_marked_as_read",
    "get_mcp_status": f"{RUBY}::test_mcp_calculator_calls_functions_of_this_process",
    "reconnect_mcp_server": f"{CONTROL}::test_mcp_servers_are_turned_off_and_on_and_connected_again",
    "toggle_mcp_server": f"{CONTROL}::test_mcp_servers_are_turned_off_and_on_and_connected_again",
    "set_mcp_servers": f"{POOL}::test_a_parked_session_comes_back_as_it_was",
    "get_context_usage": f"{RUST}::test_14_the_cli_tells_about_itself",
    "list_models": f"{CONTROL}::test_the_cli_tells_its_models_costs_settings_and_limits",
    "supported_commands": f"{RUST}::test_11_settings_come_from_the_sources_asked_for",
    "supported_agents": f"{RUST}::test_09_a_task_goes_to_the_agent_that_was_defined",
    "account_info": f"{RUST}::test_14_the_cli_tells_about_itself",
    "get_usage": f"{CONTROL}::test_the_cli_tells_its_models_costs_settings_and_limits",
    "get_session_cost": f"{CONTROL}::test_the_cli_tells_its_models_costs_settings_and_limits",
    "side_question": f"{CONTROL}::test_a_side_question_leaves_the_conversation_as_it_is",
    "rename": f"{CONTROL}::test_a_session_is_named_and_a_title_made",
    "generate_title": f"{CONTROL}::test_a_session_is_named_and_a_title_made",
}
"""Every public method of `ClaudeSDKClient`, control requests included."""

_HOOKS = "parity/test_hooks.py"
HOOKS = {
    **dict.fromkeys(
        (
            *("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "PermissionRequest"),
            *("SubagentStart", "SubagentStop", "PreModelSwitch", "PostModelSwitch", "PreCompact", "PostCompact"),
            *("UserPromptSubmit", "MessageDisplay", "Stop", "SessionStart"),
        ),
        f"{_HOOKS}::test_events_of_tools_agents_models_and_compaction",
    ),
    **dict.fromkeys(
        ("Elicitation", "ElicitationResult", "Notification"), f"{_HOOKS}::test_events_of_a_server_that_asks_back"
    ),
    **dict.fromkeys(
        ("UserPromptExpansion", "SessionEnd", "StopFailure"),
        f"{_HOOKS}::test_events_of_commands_of_the_end_of_a_session_and_of_a_failure",
    ),
    **dict.fromkeys(("WorktreeCreate", "WorktreeRemove"), f"{_HOOKS}::test_events_of_worktrees_which_a_hook_makes"),
    **dict.fromkeys(("TaskCreated", "TaskCompleted"), f"{_HOOKS}::test_events_of_the_task_list"),
    **dict.fromkeys(
        ("CwdChanged", "FileChanged", "ConfigChange", "DirectoryAdded", "InstructionsLoaded"),
        f"{_HOOKS}::test_events_of_folders_files_and_settings",
    ),
    **dict.fromkeys(
        ("PermissionDenied", "Setup", "TeammateIdle"),
        f"{_HOOKS}::test_the_others_can_be_registered",
    ),
}
"""Every hook event."""

_BY_TYPE = f"{MESSAGE}::test_each_type_gets_its_own_class"
MESSAGES = {
    "UserMessage": f"{RUST}::test_03_tool_calls_are_counted_turn_by_turn",
    "AssistantMessage": f"{RUST}::test_01_a_one_shot_query_writes_a_script",
    "SystemMessage": f"{RUST}::test_14_messages_are_handled_one_by_one_by_hand",
    "ResultMessage": f"{RUST}::test_01_a_one_shot_query_writes_a_script",
    "StreamEvent": f"{RUST}::test_10_text_and_thinking_come_as_deltas",
    "HookEventMessage": f"{OPTION}::test_settings_are_given_as_text_and_hooks_of_settings_are_told",
    "TaskStartedMessage": f"{CONTROL}::test_a_background_shell_is_read_and_stopped",
    "MirrorErrorMessage": f"{STORE}::test_a_store_that_fails_is_told_and_the_session_goes_on",
    "UnknownMessage": f"{MESSAGE}::test_a_new_type_is_kept_whole",
    "RateLimitEvent": f"{MESSAGE}::test_rate_limits_are_spelled_as_in_the_official_sdk_and_keep_the_raw_info",
    **dict.fromkeys(
        (
            *("TaskProgressMessage", "TaskNotificationMessage", "TaskUpdatedMessage", "ConversationResetMessage"),
            *("AuthStatusMessage", "CommandLifecycleMessage", "PromptSuggestionMessage", "ToolProgressMessage"),
            "ToolUseSummaryMessage",
        ),
        _BY_TYPE,
    ),
}
"""Every message class."""

_KEPT = f"{MESSAGE}::test_blocks_of_server_tools_and_of_unknown_types_are_kept"
BLOCKS = {
    "TextBlock": f"{RUST}::test_01_a_one_shot_query_writes_a_script",
    "ThinkingBlock": f"{RUBY}::test_extended_thinking_comes_as_blocks_with_a_signature",
    "ToolUseBlock": f"{RUST}::test_14_bash_calls_and_their_results_are_seen_as_blocks",
    "ToolResultBlock": f"{RUST}::test_14_bash_calls_and_their_results_are_seen_as_blocks",
    "ServerToolUseBlock": _KEPT,
    "ServerToolResultBlock": _KEPT,
    "RedactedThinkingBlock": _KEPT,
    "UnknownBlock": _KEPT,
    "ImageBlock": f"{RUST}::test_23_images_go_with_the_text",
    "DocumentBlock": f"{CONTENT}::test_documents_are_pdf_or_text",
}
"""Every content block."""

ERRORS = {
    "ClaudeSDKError": f"{RUBY}::test_error_handling_says_where_the_cli_was_looked_for",
    "CLIConnectionError": f"{RUST}::test_14_errors_say_what_is_wrong",
    "CLINotFoundError": f"{RUST}::test_14_errors_say_what_is_wrong",
    "CLIVersionError": f"{QUERY}::test_a_flag_the_cli_does_not_know_says_that_it_is_too_old",
    "OptionsError": f"{RUST}::test_22_a_plugin_of_another_kind_is_refused_before_the_start",
    "ContentError": f"{RUST}::test_23_what_is_no_image_is_refused_before_anything_is_sent",
    "ProcessError": f"{QUERY}::test_a_cli_that_dies_at_the_start_tells_what_it_said",
    "ResultError": f"{RUBY}::test_error_handling_names_what_the_api_refused",
    "AuthenticationError": f"{QUERY}::test_no_credentials_say_how_to_log_in",
    "BudgetExceededError": f"{RUST}::test_18_a_query_over_budget_raises_after_its_result",
    "LineTooLongError": "engine/test_faults.py::test_a_run_whose_result_is_too_long_says_so_and_raises",
    "TurnInterrupted": f"{SESSION}::test_a_prompt_taken_out_of_the_queue_ends_as_interrupted",
    "ControlError": f"{CLIENT}::test_an_unknown_control_request_is_refused_with_its_code",
    "ControlTimeoutError": f"{OPTION}::test_control_requests_are_waited_for_as_long_as_asked",
    "RewindError": "magics/test_rewind.py::test_a_running_turn_is_not_pulled_away_from_under_the_agent",
    "CLIJSONDecodeError": f"{NAMES}::test_a_class_is_made_as_it_was",
    "MessageParseError": f"{NAMES}::test_errors_that_are_never_raised_here_can_still_be_caught",
    "SessionNotFoundError": f"{CHANGE}::test_what_is_not_there_cannot_be_changed",
    "SessionInUseError": "sessions/test_lock.py::test_another_process_that_holds_the_session_is_named",
    "SessionStoreError": f"{STORE}::test_a_store_that_cannot_be_read_keeps_the_session_from_starting",
}
"""Every exception."""

CONSTANTS = {
    "SDK_BETAS": f"{RUBY}::test_the_constants_name_what_there_is",
    "PERMISSION_MODES": f"{RUBY}::test_the_constants_name_what_there_is",
    "SETTING_SOURCES": f"{RUBY}::test_the_constants_name_what_there_is",
    "HOOK_EVENTS": f"{RUBY}::test_the_constants_name_what_there_is",
    "ASSISTANT_MESSAGE_ERRORS": f"{RUBY}::test_the_constants_name_what_there_is",
    "EFFORT_LEVELS": f"{OPTION}::test_effort_goes_to_the_api",
    "TERMINAL_TASK_STATUSES": f"{SESSION}::test_idle_waits_for_turns_and_for_background_agents",
}
"""Every constant."""

_STORED = f"{FROM_STORE}::test_a_session_reads_the_same_from_disk_and_from_a_store"
_STORED_CHANGE = f"{FROM_STORE}::test_a_session_in_a_store_is_renamed_tagged_forked_and_deleted"
FUNCTIONS = {
    "query": f"{RUST}::test_20_a_query_is_collected_or_read_as_it_comes",
    "tool": f"{RUST}::test_08_math_tools_of_this_process_are_called",
    "create_sdk_mcp_server": f"{RUST}::test_08_math_tools_of_this_process_are_called",
    "create_resource": f"{RUBY}::test_mcp_resources_are_read_and_prompts_are_rendered",
    "create_prompt": f"{SERVER}::test_prompts_are_listed_and_rendered",
    "image_block": f"{RUST}::test_23_images_go_with_the_text",
    "document_block": f"{CONTENT}::test_documents_are_pdf_or_text",
    "user_message": f"{RUBY}::test_streaming_input_takes_a_list_of_messages",
    "list_sessions": f"{ON_DISK}::test_a_conversation_with_parallel_tools_is_found_and_read",
    "get_session_info": f"{ON_DISK}::test_a_name_given_in_the_cli_is_the_title_and_one_given_here_stays",
    "get_session_messages": f"{ON_DISK}::test_a_conversation_with_parallel_tools_is_found_and_read",
    "list_subagents": f"{ON_DISK}::test_a_sub_agents_work_is_found_with_the_call_that_started_it",
    "get_subagent_messages": f"{ON_DISK}::test_a_sub_agents_work_is_found_with_the_call_that_started_it",
    "rename_session": f"{ON_DISK}::test_a_name_given_in_the_cli_is_the_title_and_one_given_here_stays",
    "tag_session": f"{CHANGE}::test_a_session_is_renamed_and_tagged_by_adding_lines",
    "delete_session": f"{CHANGE}::test_a_session_is_deleted_with_its_sub_agents_and_checkpoints_and_no_other",
    "fork_session": f"{ON_DISK}::test_the_cli_resumes_our_fork_and_remembers_all_of_it",
    "list_sessions_from_store": f"{FROM_STORE}::test_listing_tells_the_same_by_summaries_and_by_loading",
    "get_session_info_from_store": _STORED,
    "get_session_messages_from_store": _STORED,
    "list_subagents_from_store": _STORED,
    "get_subagent_messages_from_store": _STORED,
    "rename_session_via_store": _STORED_CHANGE,
    "tag_session_via_store": _STORED_CHANGE,
    "delete_session_via_store": _STORED_CHANGE,
    "fork_session_via_store": _STORED_CHANGE,
    "import_session_to_store": f"{ON_DISK}::test_an_imported_session_is_what_mirroring_would_have_stored",
    "fold_session_summary": "sessions/test_summary.py::test_folding_in_any_batches_tells_the_same_as_reading_the_file",
    "project_key_for_directory": f"{ON_DISK}::test_the_cli_files_sessions_under_our_key",
}
"""Every public function of the engine."""

SEEDS = {
    "Rust: simple query, collecting and streaming": f"{RUST}::test_20_a_query_is_collected_or_read_as_it_comes",
    "Rust: query with content": f"{RUST}::test_23_images_go_with_the_text",
    "Rust: bidirectional streaming": f"{RUST}::test_14_prompts_are_sent_while_answers_are_read",
    "Rust: control in mid-execution": f"{RUST}::test_07_mode_and_model_change_and_a_turn_is_interrupted_while_it_runs",
    "Rust: hook builder": f"{HOOK}::test_a_decorator_registers_a_matcher_and_leaves_the_function_as_it_is",
    "Rust: tools from functions": f"{TOOL}::test_a_bare_tool_takes_its_words_and_parameters_from_the_function",
    "Rust: plugins": f"{RUST}::test_22_plugins_tools_and_permissions_work_together",
    "Rust: session ids are separate contexts": f"{RUST}::test_16_each_session_has_a_context_of_its_own",
    "Rust: reading and writing never block each other": f"{CLIENT}::test_control_answers_while_nobody_reads",
    "Rust: images by base64, address and path": f"{RUST}::test_23_an_image_may_be_named_by_its_address",
    "Rust: image validation": f"{RUST}::test_23_what_is_no_image_is_refused_before_anything_is_sent",
    "Rust: custom transport": f"{QUERY}::test_a_transport_of_the_users_replaces_the_process",
    "Rust: debug mode": f"{RUST}::test_12_debug_output_goes_line_by_line_to_a_callback",
    "Rust: trouble, CLI not found": f"{QUERY}::test_no_cli_says_how_to_get_one",
    "Rust: trouble, API key not configured": f"{QUERY}::test_no_credentials_say_how_to_log_in",
    "Rust: trouble, permission denied": f"{RUST}::test_02_a_tool_that_is_not_allowed_changes_nothing",
    "Rust: CLI version": "engine/test_locate.py::test_a_cli_tells_its_version_or_nothing",
    "Rust: options checked early": f"{QUERY}::test_options_that_cannot_be_meant_start_nothing",
    "Rust: kit for tests": "demo/test_readme.py::test_the_examples_of_the_testing_kit_run",
    "Rust: kit for tests, mock transport": f"{KIT}::test_prompts_are_answered_from_the_queue_and_then_repeated",
    "Rust: kit for tests, questions of the CLI": f"{KIT}::test_a_permission_is_asked_and_its_answer_kept",
    "Rust: kit for tests, assertions": f"{KIT}::test_assertions_say_what_there_was_instead",
    "Ruby: messages as list": f"{RUBY}::test_streaming_input_takes_a_list_of_messages",
    "Ruby: messages as generator": f"{RUBY}::test_streaming_input_takes_a_generator",
    "Ruby: session ids in the stream": f"{RUBY}::test_streaming_input_may_name_its_sessions",
    "Ruby: SDK and external MCP servers together": f"{OPTION}::test_a_server_outside_this_process_is_called",
    "Ruby: MCP resources": f"{RUBY}::test_mcp_resources_are_read_and_prompts_are_rendered",
    "Ruby: MCP prompts": f"{SERVER}::test_prompts_are_listed_and_rendered",
    "Ruby: typed hook inputs and outputs": f"{RUBY}::test_advanced_hooks_rewrite_inputs_and_inject_context",
    "Ruby: StructuredOutput block": f"{RUBY}::test_structured_output_fits_its_schema",
    "Ruby: rewind loop": f"{RUBY}::test_the_rewind_loop_works_as_written",
    "Ruby: retry after API errors": f"{RUBY}::test_error_handling_tries_again",
    "official: abort signal": f"{SESSION}::test_a_withdrawn_question_cancels_its_callback_and_is_not_answered",
    "official: permission updates": f"{CLIENT}::test_rules_given_with_a_permission_hold_for_the_session",
    "official: on_failure": f"{HOOK}::test_a_guard_that_fails_blocks_when_it_must_hold",
    "official: tool annotations": f"{TOOL}::test_annotations_are_taken_in_either_spelling_and_size_travels_beside_them",
    "official: any server of the mcp package": f"{SERVER}::test_a_high_level_server_of_the_users_own_works_as_it_is",
    "official: OpenTelemetry": f"{OPTION}::test_the_environment_and_the_name_of_the_program_reach_the_cli",
    "official: logging": f"{RUST}::test_12_the_library_logs_what_it_does",
    "official: store conformance kit": "sessions/test_store.py::test_the_kit_names_the_promise_that_a_store_breaks",
    "official: messages are dataclasses": f"{NAMES}::test_messages_and_blocks_behave_as_the_dataclasses_they_were",
    "official: errors pickle": f"{RUBY}::test_error_handling_names_what_the_api_refused",
}
"""What the READMEs of the seeds name, and what the official SDK has beside its names."""

TABLES = {
    "options": OPTIONS,
    "methods": METHODS,
    "hooks": HOOKS,
    "messages": MESSAGES,
    "blocks": BLOCKS,
    "errors": ERRORS,
    "constants": CONSTANTS,
    "functions": FUNCTIONS,
    "seeds": SEEDS,
}
