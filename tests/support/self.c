/* self: what a test program itself holds. */
#include "self.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

int self_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 3; /* ".", ".." and its own */
}

static long resident_kb(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long size, resident = 0;

	if (file) {
		if (fscanf(file, "%ld %ld", &size, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

void self_report(const char *when)
{
	printf("%s_fds %d\n%s_rss %ld\n", when, self_descriptors(), when, resident_kb());
}
