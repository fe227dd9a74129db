/* An empty program: what loading costs is measured against it, with and without libteu linked to it. */
int main(void)
{
	return 0;
}
