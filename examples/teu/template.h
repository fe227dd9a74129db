/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * template: the part of Go's text/template that people use with --format.
 *
 * Actions: {{.A.B}}, {{json .A}}, {{index .Labels "x"}}, {{len .A}}, {{upper .A}}, {{lower .A}}, {{join .A ","}},
 * {{split .A ":"}}, {{eq .A "x"}}, ne, not, and, or, print, println; pipes; {{if}} {{else}} {{range}} {{with}} {{end}};
 * {{- trimming -}} and {{/ * comments * /}}. Source: pkg.go.dev/text/template, "Actions", "Pipelines".
 */
#ifndef TEU_CLI_TEMPLATE_H
#define TEU_CLI_TEMPLATE_H

#include "doc.h"

enum { TEMPLATE_ERROR_SIZE = 200 };

/* Writes @text, filled in from @doc, to @out. False: @error says why. @doc NULL: only looks whether the syntax is
 * right. */
bool template_run(const char *text, const cJSON *doc, FILE *out, char error[TEMPLATE_ERROR_SIZE]);

#endif
