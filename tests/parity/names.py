"""The public names of the official Python SDK 0.2.186 and their call shapes, as data.

Shapes are written as parameters in order: a trailing `=` means that it may be left out, `*` that only keywords follow.
"""

# Functions: their parameters.
FUNCTIONS: dict[str, str] = {
    "create_sdk_mcp_server": "name version= tools=",
    "delete_session": "session_id directory=",
    "delete_session_via_store": "session_store session_id directory=",
    "fold_session_summary": "prev key entries",
    "fork_session": "session_id directory= up_to_message_id= title=",
    "fork_session_via_store": "session_store session_id directory= up_to_message_id= title=",
    "get_session_info": "session_id directory=",
    "get_session_info_from_store": "session_store session_id directory=",
    "get_session_messages": "session_id directory= limit= offset=",
    "get_session_messages_from_store": "session_store session_id directory= limit= offset=",
    "get_subagent_messages": "session_id agent_id directory= limit= offset=",
    "get_subagent_messages_from_store": "session_store session_id agent_id directory= limit= offset=",
    "import_session_to_store": "session_id store * directory= include_subagents= batch_size=",
    "list_sessions": "directory= limit= offset= include_worktrees=",
    "list_sessions_from_store": "session_store directory= limit= offset=",
    "list_subagents": "session_id directory=",
    "list_subagents_from_store": "session_store session_id directory=",
    "project_key_for_directory": "directory=",
    "query": "* prompt options= transport=",
    "rename_session": "session_id title directory=",
    "rename_session_via_store": "session_store session_id title directory=",
    "tag_session": "session_id tag directory=",
    "tag_session_via_store": "session_store session_id tag directory=",
    "tool": "name description input_schema annotations=",
}

# Messages, blocks, options and other dataclasses: their fields, which may be given by position.
RECORDS: dict[str, str] = {
    "AgentDefinition": (
        "description prompt tools= disallowedTools= model= skills= memory= mcpServers= initialPrompt= "
        "maxTurns= background= effort= permissionMode="
    ),
    "AssistantMessage": (
        "content model parent_tool_use_id= error= usage= message_id= stop_reason= session_id= uuid= "
        "user_message_uuid= user_message_uuids="
    ),
    "ClaudeAgentOptions": (
        "tools= allowed_tools= system_prompt= mcp_servers= strict_mcp_config= permission_mode= "
        "continue_conversation= resume= session_id= max_turns= max_budget_usd= disallowed_tools= model= "
        "fallback_model= betas= permission_prompt_tool_name= cwd= cli_path= settings= add_dirs= env= "
        "extra_args= max_buffer_size= debug_stderr= stderr= can_use_tool= hooks= user= "
        "include_partial_messages= include_hook_events= forward_subagent_text= verbatim_prompts= "
        "fork_session= resume_session_at= resume_drops_turn= agents= setting_sources= skills= sandbox= "
        "plugins= max_thinking_tokens= thinking= effort= output_format= enable_file_checkpointing= "
        "session_store= session_store_flush= load_timeout_ms= task_budget= client_app="
    ),
    "ConversationResetMessage": "new_conversation_id uuid session_id",
    "DeferredToolUse": "id name input",
    "ForkSessionResult": "session_id",
    "HookEventMessage": "subtype data hook_event_name= session_id= uuid=",
    "HookMatcher": "matcher= hooks= timeout= on_failure=",
    "MirrorErrorMessage": "subtype data key= error=",
    "PermissionResultAllow": "behavior= updated_input= updated_permissions=",
    "PermissionResultDeny": "behavior= message= interrupt=",
    "PermissionUpdate": "type rules= behavior= mode= directories= destination=",
    "RateLimitEvent": "rate_limit_info uuid session_id",
    "RateLimitInfo": (
        "status resets_at= rate_limit_type= utilization= overage_status= overage_resets_at= "
        "overage_disabled_reason= raw="
    ),
    "ResultMessage": (
        "subtype duration_ms duration_api_ms is_error num_turns session_id stop_reason= total_cost_usd= "
        "usage= result= structured_output= model_usage= permission_denials= deferred_tool_use= errors= "
        "api_error_status= uuid= terminal_reason= origin= user_message_uuid= user_message_uuids="
    ),
    "SDKSessionInfo": (
        "session_id summary last_modified file_size= custom_title= first_prompt= git_branch= cwd= tag= created_at="
    ),
    "SdkMcpTool": "name description input_schema handler annotations=",
    "ServerToolResultBlock": "tool_use_id content",
    "ServerToolUseBlock": "id name input",
    "SessionMessage": "type uuid session_id message parent_tool_use_id= parent_agent_id=",
    "StreamEvent": "uuid session_id event parent_tool_use_id= user_message_uuid= user_message_uuids=",
    "SystemMessage": "subtype data",
    "TaskNotificationMessage": "subtype data task_id status output_file summary uuid session_id tool_use_id= usage=",
    "TaskProgressMessage": "subtype data task_id description usage uuid session_id tool_use_id= last_tool_name=",
    "TaskStartedMessage": "subtype data task_id description uuid session_id tool_use_id= task_type=",
    "TaskUpdatedMessage": "subtype data task_id patch status= session_id= uuid=",
    "TextBlock": "text",
    "ThinkingBlock": "thinking signature",
    "ToolPermissionContext": (
        "signal= suggestions= tool_use_id= agent_id= blocked_path= decision_reason= title= display_name= description="
    ),
    "ToolResultBlock": "tool_use_id content= is_error=",
    "ToolUseBlock": "id name input",
    "UserMessage": "content uuid= parent_tool_use_id= tool_use_result= origin=",
}

# Dicts with known keys.
DICTS: dict[str, str] = {
    "BackgroundTaskSummary": "id type status description command agent_type server tool name",
    "BaseHookInput": "session_id transcript_path cwd permission_mode prompt_id effort",
    "ContextUsageCategory": "name tokens color isDeferred",
    "ContextUsageResponse": (
        "categories totalTokens maxTokens rawMaxTokens percentage model isAutoCompactEnabled memoryFiles "
        "mcpTools agents gridRows autoCompactThreshold deferredBuiltinTools systemTools systemPromptSections "
        "slashCommands skills messageBreakdown apiUsage"
    ),
    "CwdChangedHookSpecificOutput": "hookEventName watchPaths",
    "ElicitationHookSpecificOutput": "hookEventName action content",
    "ElicitationResultHookSpecificOutput": "hookEventName action content",
    "FileChangedHookSpecificOutput": "hookEventName watchPaths",
    "HookContext": "signal",
    "HookEffort": "level",
    "McpSdkServerConfig": "type name instance",
    "McpServerInfo": "name version",
    "McpServerStatus": "name status serverInfo error config scope tools",
    "McpStatusResponse": "mcpServers",
    "McpToolAnnotations": "readOnly destructive openWorld",
    "McpToolInfo": "name description annotations",
    "MessageDisplayHookSpecificOutput": "hookEventName displayContent",
    "MessageOrigin": "kind server from name fromSession senderTaskId body verifiedPeerPid subkind",
    "ModelUsage": (
        "inputTokens outputTokens cacheReadInputTokens cacheCreationInputTokens webSearchRequests costUSD "
        "contextWindow maxOutputTokens canonicalModel provider"
    ),
    "NotificationHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort hook_event_name message title "
        "notification_type"
    ),
    "NotificationHookSpecificOutput": "hookEventName additionalContext",
    "PermissionDeniedHookSpecificOutput": "hookEventName retry",
    "PermissionRequestHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort agent_id agent_type hook_event_name "
        "tool_name tool_input permission_suggestions"
    ),
    "PermissionRequestHookSpecificOutput": "hookEventName decision",
    "PostModelSwitchHookSpecificOutput": "hookEventName additionalContext",
    "PostToolBatchHookSpecificOutput": "hookEventName additionalContext",
    "PostToolUseFailureHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort agent_id agent_type hook_event_name "
        "tool_name tool_input tool_use_id error is_interrupt duration_ms"
    ),
    "PostToolUseFailureHookSpecificOutput": "hookEventName additionalContext",
    "PostToolUseHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort agent_id agent_type hook_event_name "
        "tool_name tool_input tool_response tool_use_id duration_ms"
    ),
    "PostToolUseHookSpecificOutput": "hookEventName additionalContext updatedToolOutput updatedMCPToolOutput",
    "PreCompactHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort hook_event_name trigger custom_instructions"
    ),
    "PreModelSwitchHookSpecificOutput": "hookEventName permissionDecision permissionDecisionReason",
    "PreToolUseHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort agent_id agent_type hook_event_name "
        "tool_name tool_input tool_use_id"
    ),
    "PreToolUseHookSpecificOutput": (
        "hookEventName permissionDecision permissionDecisionReason updatedInput additionalContext"
    ),
    "SandboxNetworkConfig": (
        "allowedDomains deniedDomains allowManagedDomainsOnly allowUnixSockets allowAllUnixSockets "
        "allowLocalBinding allowMachLookup httpProxyPort socksProxyPort"
    ),
    "SandboxSettings": (
        "enabled autoAllowBashIfSandboxed excludedCommands allowUnsandboxedCommands network ignoreViolations "
        "enableWeakerNestedSandbox"
    ),
    "SdkPluginConfig": "type path",
    "SessionCronSummary": "id schedule recurring prompt",
    "SessionKey": "project_key session_id subpath",
    "SessionListSubkeysKey": "project_key session_id",
    "SessionStartHookSpecificOutput": (
        "hookEventName additionalContext initialUserMessage sessionTitle watchPaths reloadSkills"
    ),
    "SessionStoreEntry": "type uuid timestamp",
    "SessionStoreListEntry": "session_id mtime",
    "SessionSummaryEntry": "session_id mtime data",
    "StopHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort hook_event_name stop_hook_active "
        "last_assistant_message background_tasks session_crons"
    ),
    "StopHookSpecificOutput": "hookEventName additionalContext",
    "SubagentStartHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort hook_event_name agent_id agent_type"
    ),
    "SubagentStartHookSpecificOutput": "hookEventName additionalContext",
    "SubagentStopHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort hook_event_name stop_hook_active "
        "agent_id agent_transcript_path agent_type last_assistant_message background_tasks session_crons"
    ),
    "SubagentStopHookSpecificOutput": "hookEventName additionalContext",
    "SystemInitData": (
        "type subtype uuid session_id agents apiKeySource betas claude_code_version cwd tools mcp_servers "
        "model permissionMode slash_commands terminal_slash_commands output_style skills plugins "
        "plugin_errors fast_mode_state fast_mode_disabled_reason capabilities"
    ),
    "SystemInitMcpServer": "name status source",
    "SystemInitPlugin": "name path version",
    "SystemInitPluginError": "plugin type message path",
    "TaskBudget": "total",
    "TaskUsage": "total_tokens tool_uses duration_ms",
    "ThinkingConfigAdaptive": "type display",
    "ThinkingConfigDisabled": "type",
    "ThinkingConfigEnabled": "type budget_tokens display",
    "UserPromptExpansionHookSpecificOutput": "hookEventName additionalContext suppressOriginalPrompt",
    "UserPromptSubmitHookInput": (
        "session_id transcript_path cwd permission_mode prompt_id effort hook_event_name prompt"
    ),
    "UserPromptSubmitHookSpecificOutput": "hookEventName additionalContext sessionTitle suppressOriginalPrompt",
    "WorktreeCreateHookSpecificOutput": "hookEventName worktreePath",
}

# Literal types: the words they allow.
WORDS: dict[str, str] = {
    "EffortLevel": "low medium high xhigh max",
    "FastModeDisabledReason": (
        "free preference extra_usage_disabled network_error unknown not_first_party disabled_by_env "
        "model_not_allowed sdk_opt_in_required pending"
    ),
    "FastModeState": "off cooldown on",
    "McpServerConnectionStatus": "connected failed needs-auth pending disabled",
    "MessageOriginKind": (
        "human channel peer task-notification coordinator unclassified observer auto-continuation observer-activity"
    ),
    "PermissionMode": "default acceptEdits plan bypassPermissions dontAsk auto",
    "RateLimitStatus": "allowed allowed_warning rejected",
    "RateLimitType": "five_hour seven_day seven_day_opus seven_day_sonnet overage",
    "SdkBeta": "context-1m-2025-08-07",
    "ServerToolName": (
        "advisor web_search web_fetch code_execution bash_code_execution text_editor_code_execution "
        "tool_search_tool_regex tool_search_tool_bm25"
    ),
    "SessionStoreFlushMode": "batched eager",
    "SettingSource": "user project local",
    "TaskNotificationOriginSubkind": "scheduled-trigger peer-send-message",
    "TaskNotificationStatus": "completed failed stopped",
    "TaskUpdatedStatus": "pending running paused completed failed killed",
}

# Other classes: what their constructor takes.
CLASSES: dict[str, str] = {
    "CLIConnectionError": "",
    "CLIJSONDecodeError": "line original_error",
    "CLINotFoundError": "message= cli_path=",
    "CanUseToolShadowedWarning": "",
    "ClaudeSDKClient": "options= transport=",
    "ClaudeSDKError": "",
    "InMemorySessionStore": "",
    "ProcessError": "message exit_code= stderr=",
    "ResultError": "message data= exit_code=",
    "SessionStore": "",
    "ToolAnnotations": "",
    "Transport": "",
}

# ... what they derive from ...
BASES: dict[str, str] = {
    "CLIConnectionError": "ClaudeSDKError",
    "CLIJSONDecodeError": "ClaudeSDKError",
    "CLINotFoundError": "CLIConnectionError",
    "CanUseToolShadowedWarning": "UserWarning",
    "ClaudeSDKError": "Exception",
    "InMemorySessionStore": "SessionStore",
    "ProcessError": "ClaudeSDKError",
    "ResultError": "ProcessError",
}

# ... and their methods.
METHODS: dict[str, dict[str, str]] = {
    "ClaudeSDKClient": {
        "connect": "prompt=",
        "disconnect": "",
        "get_context_usage": "",
        "get_mcp_status": "",
        "get_server_info": "",
        "interrupt": "",
        "query": "prompt session_id=",
        "receive_messages": "",
        "receive_response": "",
        "reconnect_mcp_server": "server_name",
        "rewind_files": "user_message_id",
        "set_model": "model=",
        "set_permission_mode": "mode",
        "stop_task": "task_id",
        "toggle_mcp_server": "server_name enabled",
    },
    "InMemorySessionStore": {
        "append": "key entries",
        "clear": "",
        "delete": "key",
        "get_entries": "key",
        "list_session_summaries": "project_key",
        "list_sessions": "project_key",
        "list_subkeys": "key",
        "load": "key",
    },
    "SessionStore": {
        "append": "key entries",
        "delete": "key",
        "list_session_summaries": "project_key",
        "list_sessions": "project_key",
        "list_subkeys": "key",
        "load": "key",
    },
    "Transport": {
        "close": "",
        "connect": "",
        "end_input": "",
        "is_ready": "",
        "read_messages": "",
        "write": "data",
    },
}

# Types that are made of others: the names they join ("" where it is something else).
ALIASES: dict[str, str] = {
    "CanUseTool": "",
    "ContentBlock": "TextBlock ThinkingBlock ToolUseBlock ToolResultBlock ServerToolUseBlock ServerToolResultBlock",
    "HookCallback": "",
    "HookInput": (
        "PreToolUseHookInput PostToolUseHookInput PostToolUseFailureHookInput UserPromptSubmitHookInput StopHookInput "
        "SubagentStopHookInput PreCompactHookInput NotificationHookInput SubagentStartHookInput "
        "PermissionRequestHookInput"
    ),
    "HookJSONOutput": "",
    "McpServerConfig": "McpStdioServerConfig McpSSEServerConfig McpHttpServerConfig McpSdkServerConfig",
    "McpServerStatusConfig": "McpStdioServerConfig McpSSEServerConfig McpHttpServerConfig",
    "Message": (
        "UserMessage AssistantMessage SystemMessage ResultMessage StreamEvent RateLimitEvent ConversationResetMessage"
    ),
    "PermissionResult": "PermissionResultAllow PermissionResultDeny",
    "SandboxIgnoreViolations": "",
    "TERMINAL_TASK_STATUSES": "",
    "ThinkingConfig": "ThinkingConfigAdaptive ThinkingConfigEnabled ThinkingConfigDisabled",
}

ALL = {"__version__", *FUNCTIONS, *RECORDS, *DICTS, *WORDS, *CLASSES, *ALIASES}
