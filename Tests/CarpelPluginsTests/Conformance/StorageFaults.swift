let storageFaults: [PluginFault] = [
    .storage(
        "Probe always fails", fails: ["probe"],
        ("faccessat(plugin->folder, \"state.json\"", "faccessat(plugin->folder, \"nothing\"")),
    .storage(
        "more is left than there is", fails: ["capacity"],
        ("\"availableBytes\", left)", "\"availableBytes\", capacity + 1)")),
    .storage(
        "volumes are smaller than was asked for", fails: ["create"],
        ("\"capacityBytes\", wanted, \"mode\", mode", "\"capacityBytes\", wanted / 2, \"mode\", mode")),
    .storage(
        "CreateVolume cannot be repeated", fails: ["create-again", "concurrent-create-same"],
        (
            "    if (record && json_equal(json_object_get(record, \"request\"), request)) return "
                + "describe(plugin, record);\n",
            ""
        )),
    .storage(
        "any volume of that name will do", fails: ["create-other"],
        ("json_equal(json_object_get(record, \"request\"), request)", "1")),
    .storage(
        "there is no default capacity", fails: ["create-default"],
        ("least ? least : plugin->default_capacity", "least ? least : -1")),
    .storage(
        "no capacity is too large", fails: ["create-too-large", "expand-refused"],
        ("    if (wanted > available(plugin, NULL))", "    if (0)")),
    .storage(
        "any text is a name", fails: ["create-name", "snapshot-name"],
        ("    if (length == 0 || length > 128 || name[length])", "    if (0)")),
    .storage(
        "parameters are ignored", fails: ["create-parameter"],
        ("    json_object_foreach(parameters, key, value)\n        return", "    if (0) return")),
    .storage(
        "what is not there is an internal error",
        fails: ["create-source-unknown", "publish-unknown", "snapshot-unknown", "expand-refused"],
        ("fail(\"NOT_FOUND\", \"notFound\"", "fail(\"INTERNAL\", \"notFound\"")),
    .storage(
        "volumes are listed as they came", fails: ["list-sorted"],
        ("    qsort(names, count, sizeof *names, compare_names);\n", "")),
    .storage(
        "DeleteVolume does nothing", fails: ["delete", "concurrent-create"],
        ("    if (json_object_del(json_object_get(plugin->state, kind), name) < 0) return", "    if (1) return")),
    .storage(
        "a new volume has the old one's content", fails: ["delete"],
        ("    if (unlinkat(plugin->folder, file, 0) < 0 && errno != ENOENT && !file_failed(file)) return NULL;\n", ""),
        (
            "    if (!make_disk(plugin, file, wanted,",
            "    if (faccessat(plugin->folder, file, F_OK, 0) && !make_disk(plugin, file, wanted,"
        )),
    .storage(
        "DeleteVolume of the unknown fails", fails: ["delete-unknown", "delete-twice"],
        ("name) < 0) return json_object();", "name) < 0) return fail(\"NOT_FOUND\", \"none\", \"none\");")),
    .storage(
        "DeleteVolume takes volumes from pods", fails: ["delete-published"],
        ("    return problem || is_published(record, name) ? NULL : forget", "    return problem ? NULL : forget")),
    .storage(
        "disks that the machines' group may not open", fails: ["publish"],
        ("fchown(disk, -1, plugin->machine_group) == 0 && ", "")),
    .storage(
        "a file system that is not there", fails: ["publish"], ("    else if (has_ext4) made", "    else if (0) made")),
    .storage(
        "PublishVolume cannot be repeated", fails: ["publish-again"],
        ("if (is_same ? reads != other_reads :", "if (is_same ? 1 :")),
    .storage(
        "pods share what they write", fails: ["publish-exclusive", "concurrent-publish"],
        ("reads != other_reads : !reads || !other_reads)", "reads != other_reads : 0)")),
    .storage(
        "readers do not share", fails: ["publish-readers"],
        ("reads != other_reads : !reads || !other_reads)", "reads != other_reads : 1)")),
    .storage(
        "UnpublishVolume does nothing", fails: ["unpublish"],
        ("    if (json_object_del(json_object_get(record, \"pods\"), pod) == 0 && !save(plugin)) return NULL;\n", "")),
    .storage(
        "UnpublishVolume of the unknown fails", fails: ["unpublish-unknown"],
        (
            "    json_t *record = json_object_get(json_object_get(plugin->state, \"volumes\"), name);\n"
                + "    if (problem) return NULL;\n"
                + "    if (json_object_del(",
            "    json_t *record = find(plugin, \"volumes\", name);\n"
                + "    if (problem) return NULL;\n"
                + "    if (json_object_del("
        )),
    .storage(
        "CollectPublications takes all", fails: ["collect"],
        ("is_valid |= json_equal(item, publication);", "is_valid = 0;")),
    .storage(
        "CollectPublications only talks", fails: ["collect"],
        ("            if (!is_valid) json_object_del(json_object_get(record, \"pods\"), pod);\n", "")),
    .storage(
        "snapshots have the wrong capacity", fails: ["snapshot"],
        (
            "\"sourceVolumeID\", origin,\n                         \"capacityBytes\", capacity,",
            "\"sourceVolumeID\", origin,\n                         \"capacityBytes\", json_integer(1),"
        )),
    .storage(
        "CreateSnapshot cannot be repeated", fails: ["snapshot-again"],
        (
            "    if (snapshot && strcmp(text_of(snapshot, \"sourceVolumeID\"), origin) == 0) return "
                + "json_incref(snapshot);\n",
            ""
        )),
    .storage(
        "the newest snapshot is first", fails: ["snapshot-order"],
        ("        json_array_append(snapshots, snapshot);", "        json_array_insert(snapshots, 0, snapshot);")),
    .storage(
        "RestoreVolume does nothing", fails: ["restore"],
        (
            "    if (!make_disk(plugin, file, capacity, source,",
            "    if (0 && !make_disk(plugin, file, capacity, source,"
        )),
    .storage(
        "RestoreVolume overwrites what pods have", fails: ["restore-published"],
        (
            "    if (problem || is_published(record, name)) return NULL;\n    if (strcmp",
            "    if (problem) return NULL;\n    if (strcmp"
        )),
    .storage(
        "copies are empty", fails: ["restore", "clone-snapshot", "clone-volume", "clone-outlives"],
        ("made && copy(from, disk, cancelled) &&", "made &&")),
    .storage(
        "copies end too soon", fails: ["restore", "clone-snapshot", "clone-volume", "clone-outlives"],
        (
            "    while ((data = lseek(from, data, SEEK_DATA)) >= 0) {",
            "    while ((data = lseek(from, data, SEEK_DATA)) >= 0 && data < MEBIBYTE) {"
        ),
        ("    return errno == ENXIO || file_failed(\"copy\");", "    return 1;")),
    .storage(
        "a clone is its source", fails: ["clone-snapshot", "clone-volume"],
        (
            "    name_file(file, name, \"raw\");\n    if (!make_disk(plugin, file, wanted,",
            "    name_file(file, name, \"raw\");\n"
                + "    if (from ? linkat(plugin->folder, source_file, plugin->folder, file, 0) : !make_disk(plugin, "
                + "file, wanted,"
        )),
    .storage(
        "a clone may be cut off", fails: ["clone-too-small"],
        ("    if (wanted < least && wanted > 0)", "    if (0)")),
    .storage(
        "ExpandVolume only talks", fails: ["expand"],
        ("        if (truncate(path, wanted) < 0 && !file_failed(path)) return NULL;\n", "")),
    .storage(
        "ExpandVolume empties the volume", fails: ["expand", "expand-filesystem"],
        ("        if (truncate(path, wanted) < 0", "        if (truncate(path, 0) < 0 || truncate(path, wanted) < 0"),
        (
            "    return run(1, (char *[]){ \"/usr/sbin/e2fsck\", \"-f\", \"-p\", path, NULL })\n"
                + "        && run(0, (char *[]){ \"/usr/sbin/resize2fs\", path, NULL });",
            "    return 1;"
        )),
    .storage(
        "ExpandVolume makes volumes smaller", fails: ["expand-again"],
        ("    if (wanted > json_integer_value(json_object_get(volume, \"capacityBytes\"))) {", "    if (1) {")),
    .storage(
        "ExpandVolume promises what nobody does", fails: ["expand-published"],
        (
            "== 0 || is_published(record, name)) return NULL;\n        if (truncate(path, wanted) < 0",
            "== 0) return NULL;\n        if (0 && truncate(path, wanted) < 0"
        )),
    .storage(
        "the twentieth volume is forgotten", fails: ["concurrent-create"],
        (
            "    json_object_set_new(json_object_get(plugin->state, \"volumes\"), name, record);",
            "    json_t *all = json_object_get(plugin->state, \"volumes\");\n"
                + "    if (json_object_size(all) < 19) json_object_set(all, name, record);"
        )),
    .storage(
        "a cancelled clone is kept", fails: ["cancel"],
        (
            "    if (!make_disk(plugin, file, wanted, from ? source_file : NULL, *mode == 'f', cancelled)) "
                + "return NULL;",
            "    usleep(5000);\n"
                + "    make_disk(plugin, file, wanted, from ? source_file : NULL, *mode == 'f', cancelled);"
        )),
    .storage(
        "a clone takes its time, whatever it has", fails: ["deadline"],
        (
            "    if (!make_disk(plugin, file, wanted,",
            "    if (from) sleep(30);\n    if (!make_disk(plugin, file, wanted,"
        )),
    .storage(
        "nothing is known after a start", fails: ["restart"],
        ("    plugin->state = json_load_file(path, 0, &error);", "    unlink(path);\n    plugin->state = NULL;")),
    .storage(
        "what a kill has left is in the way", fails: ["kill-in-create"],
        ("    unlink(path);\n    int disk", "    int disk"),
        ("    struct stat old = { 0 };", "    usleep(100000);\n    struct stat old = { 0 };")),
    .storage(
        "an unknown verb is a wrong argument", fails: ["verb-unknown"],
        ("fail(\"UNIMPLEMENTED\", \"verbUnknown\"", "fail(\"INVALID_ARGUMENT\", \"verbUnknown\"")),
    .storage(
        "garbage is taken for an object", fails: ["garbage"],
        (
            "    else if (!json_is_object(request)) malformed(request ? \"the request is no object\" : error.text);",
            "    else if (!request) abort();"
        )),
    .storage(
        "types are not looked at", fails: ["wrong-types"],
        ("    if (!json_is_array(valid)) malformed(\"valid is no array\");\n", "")),
    .storage(
        "what is not known is refused", fails: ["unknown-members"],
        (
            "    if (problem) return NULL;\n    if (json_is_null(source))",
            "    if (problem || json_object_get(request, \"someday\")) return malformed(\"someday\");\n"
                + "    if (json_is_null(source))"
        )),
    .storage(
        "a name ends the process", fails: ["hostile-names"],
        (
            "    if (length == 0 || length > 128 || name[length])",
            "    if (strstr(name, \"reboot\")) abort();\n    if (length == 0 || length > 128 || name[length])"
        )),
]
