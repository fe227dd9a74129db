/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image: what run needs of the images' file. */
#ifndef TEU_CLI_IMAGE_H
#define TEU_CLI_IMAGE_H

#include <stdio.h>

#include "cli.h"

/* Pulls with progress on @out (NULL: silently). */
int image_pull(teu_engine *engine, const char *reference, const char *platform, FILE *out, teu_error **err);

/* Whether the image was made for "os/arch[/variant]". */
bool image_is_for(teu_image *image, const char *platform);

/* "busybox:latest" for "docker.io/library/busybox:latest", for free(). */
char *image_familiar(const char *reference);

#endif
