/* SPDX-License-Identifier: MIT */
/* step - see step.h. It must never fail itself. */
#include "step.h"

#include <stddef.h>

bool step_is_exec(enum step step)
{
	return step == STEP_EXEC || step == STEP_INTERPRETER ||
	       step == STEP_EXEC_NOT_STATIC;
}

const char *step_class(enum step step)
{
	switch (step) {
	case STEP_NONE:
		break;
	case STEP_BEGIN:
	case STEP_PRINT:
	case STEP_STATUS_FD:
	case STEP_ADDRESS:
	case STEP_PARENT:
	case STEP_PID:
	case STEP_FD:
	case STEP_EXEC_FD:
		return "usage";
	case STEP_CONNECT:
		return "connect";
	case STEP_PEER:
		return "peer";
	case STEP_CGROUP:
	case STEP_PREPARE:
	case STEP_SIGNAL:
	case STEP_GUARD:
	case STEP_CLONE3:
	case STEP_MAP:
	case STEP_EMULATE:
		return "clone3";
	case STEP_EXEC:
	case STEP_BEFORE_EXEC:
	case STEP_INTERPRETER:
	case STEP_EXEC_NOT_STATIC:
		return "exec";
	case STEP_PASS:
		return "pass";
	case STEP_LISTEN:
	case STEP_RECEIVE:
		return "receive";
	case STEP_PID_FILE:
	case STEP_HOLD:
		return "hold";
	}
	return NULL;
}
