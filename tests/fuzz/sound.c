/* sound: what holds for each plan that is compiled, whatever the config. */
#include "sound.h"

#include <string.h>

#include "base/cleanup.h"

void must_be_sound(const struct plan *plan)
{
	_cleanup_json_ json *shown = plan_to_json(plan), *again = NULL;
	_cleanup_free_ char *text = shown ? json_print(shown) : NULL;
	const struct plan_step *step;

	must(plan_check((const struct plan_header *)plan->bytes.text, plan->bytes.len, &step) == PLAN_SOUND);
	must(text && json_parse(text, strlen(text), &again, NULL) == 0);
	must(json_count(again) == json_count(shown));
}
