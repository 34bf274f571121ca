BEGIN TRANSACTION;
CREATE TABLE camera_lengths (
        camera TEXT NOT NULL,
        length_class INTEGER NOT NULL,
        recordings INTEGER NOT NULL,
        PRIMARY KEY (camera, length_class)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "camera_lengths" VALUES('north',26,1);
CREATE TABLE clip_cameras (
        camera TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (camera, created_at, id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "clip_cameras" VALUES('north',1795861437610167,'by-time');
CREATE TABLE clip_recordings (
        recording TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (recording, created_at, id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "clip_recordings" VALUES('none.mp4',1795861437253312,'failed');
INSERT INTO "clip_recordings" VALUES('sea.mp4',1795861437139763,'ready');
INSERT INTO "clip_recordings" VALUES('sea.mp4',1795861437231119,'edited');
INSERT INTO "clip_recordings" VALUES('sea.mp4',1795861437587608,'queued');
CREATE TABLE clip_tags (
        tag TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (tag, created_at, id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "clip_tags" VALUES('left',1795861437139763,'ready');
INSERT INTO "clip_tags" VALUES('queued',1795861437587608,'queued');
CREATE TABLE clips (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        lease_until INTEGER,
        sweep_at INTEGER,
        expires_at INTEGER,
        content TEXT NOT NULL
    , waits_for TEXT, tenant TEXT NOT NULL DEFAULT '', deleted INTEGER NOT NULL DEFAULT 0, words TEXT NOT NULL DEFAULT '', settled_at INTEGER) STRICT
    ;
INSERT INTO "clips" VALUES(1,'ready','ready',1795861437139763,3,1,NULL,NULL,2095861437304370,'{"id":"ready","state":"ready","request":{"version":"1","id":"ready","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"webhook":null,"expires_in":300000000,"legacy":null},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"revision":3,"attempt":1,"worker":"worker-1","lease_until":null,"waits_for":null,"expected_at":null,"waits_until":null,"waits_for_new_camera":null,"progress":{"fraction":1.0,"bytes":36000,"frames":1},"failure":null,"troubled_since":null,"troubled_tries":0,"result":{"key":"ready/1/clip.mp4","size":20000,"etag":"\"250761-661539309044c-4e20\"","duration":"2","width":64,"height":36,"frames":1,"frames_copied":1,"frames_encoded":0,"spans":[{"recording":"sea.mp4","etag":"\"22a86f-6615392fde775-8ca0\"","start":"1","end":"3","clamped":false,"camera":null,"begins":null}],"gaps":[],"bytes_read":36000,"requests":2,"source_size":36000,"seconds":0.037,"remade":false,"notes":[],"edits":[],"posters":[]},"created_at":"2026-11-28T10:23:57.139763Z","updated_at":"2026-11-28T10:23:57.304370Z","expires_at":"2036-05-31T15:43:57.304370Z","sweep_at":null,"delete_at":null}',NULL,'',0,'ready
long left
left
surfer
é
sea.mp4',NULL);
INSERT INTO "clips" VALUES(2,'edited','ready',1795861437231119,3,1,NULL,NULL,NULL,'{"id":"edited","state":"ready","request":{"version":"1","id":"edited","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[{"edit":"rotate","degrees":90,"flip":null},{"edit":"speed","speed":"2","spans":[],"sound":null}],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{},"webhook":null,"expires_in":null,"legacy":null},"title":"","tags":[],"labels":{},"revision":3,"attempt":1,"worker":"worker-1","lease_until":null,"waits_for":null,"expected_at":null,"waits_until":null,"waits_for_new_camera":null,"progress":{"fraction":1.0,"bytes":36000,"frames":1},"failure":null,"troubled_since":null,"troubled_tries":0,"result":{"key":"edited/1/clip.mp4","size":20000,"etag":"\"250752-66153930b272c-4e20\"","duration":"2","width":64,"height":36,"frames":1,"frames_copied":1,"frames_encoded":0,"spans":[{"recording":"sea.mp4","etag":"\"22a86f-6615392fde775-8ca0\"","start":"1","end":"3","clamped":false,"camera":null,"begins":null}],"gaps":[],"bytes_read":36000,"requests":2,"source_size":36000,"seconds":0.081,"remade":false,"notes":[],"edits":[],"posters":[]},"created_at":"2026-11-28T10:23:57.231119Z","updated_at":"2026-11-28T10:23:57.459275Z","expires_at":null,"sweep_at":null,"delete_at":null}',NULL,'',0,'edited

sea.mp4',1795861437459275);
INSERT INTO "clips" VALUES(3,'failed','failed',1795861437253312,3,1,NULL,1795861467529566,NULL,'{"id":"failed","state":"failed","request":{"version":"1","id":"failed","source":[{"recording":"none.mp4","start":"0","end":"1"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{},"webhook":null,"expires_in":null,"legacy":null},"title":"","tags":[],"labels":{},"revision":3,"attempt":1,"worker":"worker-1","lease_until":null,"waits_for":null,"expected_at":null,"waits_until":null,"waits_for_new_camera":null,"progress":{"fraction":0.0,"bytes":0,"frames":0},"failure":{"reason":"recording_not_found","message":"The recording is not in the source store. Check its key, or upload it and retry the clip. none.mp4."},"troubled_since":null,"troubled_tries":0,"result":null,"created_at":"2026-11-28T10:23:57.253312Z","updated_at":"2026-11-28T10:23:57.529566Z","expires_at":null,"sweep_at":"2026-11-28T10:24:27.529566Z","delete_at":null}',NULL,'',0,'failed

none.mp4',NULL);
INSERT INTO "clips" VALUES(4,'queued','queued',1795861437587608,1,0,NULL,NULL,NULL,'{"id":"queued","state":"queued","request":{"version":"1","id":"queued","source":[{"recording":"sea.mp4","start":"0.25","end":"1.5"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":["queued"],"labels":{},"webhook":null,"expires_in":null,"legacy":null},"title":"","tags":["queued"],"labels":{},"revision":1,"attempt":0,"worker":"","lease_until":null,"waits_for":null,"expected_at":null,"waits_until":null,"waits_for_new_camera":null,"progress":{"fraction":0.0,"bytes":0,"frames":0},"failure":null,"troubled_since":null,"troubled_tries":0,"result":null,"created_at":"2026-11-28T10:23:57.587608Z","updated_at":"2026-11-28T10:23:57.587608Z","expires_at":null,"sweep_at":null,"delete_at":null}',NULL,'',0,'queued

queued
sea.mp4',NULL);
INSERT INTO "clips" VALUES(5,'by-time','queued',1795861437610167,1,0,NULL,NULL,NULL,'{"id":"by-time","state":"queued","request":{"version":"1","id":"by-time","source":[{"camera":"north","from":"2026-06-21T05:30:01.000000Z","to":"2026-06-21T05:30:02.000000Z","gaps":"skip"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{},"webhook":null,"expires_in":null,"legacy":null},"title":"","tags":[],"labels":{},"revision":1,"attempt":0,"worker":"","lease_until":null,"waits_for":null,"expected_at":null,"waits_until":null,"waits_for_new_camera":null,"progress":{"fraction":0.0,"bytes":0,"frames":0},"failure":null,"troubled_since":null,"troubled_tries":0,"result":null,"created_at":"2026-11-28T10:23:57.610167Z","updated_at":"2026-11-28T10:23:57.610167Z","expires_at":null,"sweep_at":null,"delete_at":null}',NULL,'',0,'by-time

north',NULL);
CREATE TABLE dead_letters (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        queue TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        died_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL,
        reason TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    ;
CREATE TABLE documents (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        owner TEXT NOT NULL,
        revision TEXT NOT NULL,
        content TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "documents" VALUES('api_key','b78f0aa719b15f98','','101ed53e1cdf78d5','{"id": "b78f0aa719b15f98", "name": "first", "tenant": "", "scopes": ["read"], "digest": "b78f0aa719b15f983fd7d50e05448b8552db362df00ef64c59dc2bee140d4db2", "created_at": "2026-11-28T10:23:57.570731Z", "last_used_at": null}');
CREATE TABLE events (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        announced_at INTEGER,
        content TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "events" VALUES(1,'ready.1',1795861437199945,'{"specversion":"1.0","id":"ready.1","source":"/cutback","type":"clip.queued","subject":"ready","time":"2026-11-28T10:23:57.139763Z","datacontenttype":"application/json","data":{"id":"ready","state":"queued","request":{"version":"1","id":"ready","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"expires_in":300000000},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"revision":1,"attempt":0,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.139763Z","updated_at":"2026-11-28T10:23:57.139763Z"}}');
INSERT INTO "events" VALUES(2,'edited.1',1795861437243451,'{"specversion":"1.0","id":"edited.1","source":"/cutback","type":"clip.queued","subject":"edited","time":"2026-11-28T10:23:57.231119Z","datacontenttype":"application/json","data":{"id":"edited","state":"queued","request":{"version":"1","id":"edited","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[{"edit":"rotate","degrees":90},{"edit":"speed","speed":"2","spans":[]}],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{}},"title":"","tags":[],"labels":{},"revision":1,"attempt":0,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.231119Z","updated_at":"2026-11-28T10:23:57.231119Z"}}');
INSERT INTO "events" VALUES(3,'failed.1',1795861437260722,'{"specversion":"1.0","id":"failed.1","source":"/cutback","type":"clip.queued","subject":"failed","time":"2026-11-28T10:23:57.253312Z","datacontenttype":"application/json","data":{"id":"failed","state":"queued","request":{"version":"1","id":"failed","source":[{"recording":"none.mp4","start":"0","end":"1"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{}},"title":"","tags":[],"labels":{},"revision":1,"attempt":0,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.253312Z","updated_at":"2026-11-28T10:23:57.253312Z"}}');
INSERT INTO "events" VALUES(4,'ready.2',1795861437272847,'{"specversion":"1.0","id":"ready.2","source":"/cutback","type":"clip.processing","subject":"ready","time":"2026-11-28T10:23:57.268135Z","datacontenttype":"application/json","data":{"id":"ready","state":"processing","request":{"version":"1","id":"ready","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"expires_in":300000000},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"revision":2,"attempt":1,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.139763Z","updated_at":"2026-11-28T10:23:57.268135Z"}}');
INSERT INTO "events" VALUES(5,'ready.3',1795861437328289,'{"specversion":"1.0","id":"ready.3","source":"/cutback","type":"clip.ready","subject":"ready","time":"2026-11-28T10:23:57.304370Z","datacontenttype":"application/json","data":{"id":"ready","state":"ready","request":{"version":"1","id":"ready","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"expires_in":300000000},"title":"Long left","tags":["left"],"labels":{"surfer":"é"},"revision":3,"attempt":1,"progress":{"fraction":1.0,"bytes":36000,"frames":1},"result":{"key":"ready/1/clip.mp4","size":20000,"etag":"\"250761-661539309044c-4e20\"","duration":"2","width":64,"height":36,"frames":1,"frames_copied":1,"frames_encoded":0,"spans":[{"recording":"sea.mp4","etag":"\"22a86f-6615392fde775-8ca0\"","start":"1","end":"3","clamped":false}],"gaps":[],"bytes_read":36000,"requests":2,"source_size":36000,"seconds":0.037,"remade":false,"notes":[],"edits":[],"posters":[]},"created_at":"2026-11-28T10:23:57.139763Z","updated_at":"2026-11-28T10:23:57.304370Z","expires_at":"2036-05-31T15:43:57.304370Z"}}');
INSERT INTO "events" VALUES(6,'edited.2',1795861437397961,'{"specversion":"1.0","id":"edited.2","source":"/cutback","type":"clip.processing","subject":"edited","time":"2026-11-28T10:23:57.378546Z","datacontenttype":"application/json","data":{"id":"edited","state":"processing","request":{"version":"1","id":"edited","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[{"edit":"rotate","degrees":90},{"edit":"speed","speed":"2","spans":[]}],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{}},"title":"","tags":[],"labels":{},"revision":2,"attempt":1,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.231119Z","updated_at":"2026-11-28T10:23:57.378546Z"}}');
INSERT INTO "events" VALUES(7,'edited.3',1795861437465356,'{"specversion":"1.0","id":"edited.3","source":"/cutback","type":"clip.ready","subject":"edited","time":"2026-11-28T10:23:57.459275Z","datacontenttype":"application/json","data":{"id":"edited","state":"ready","request":{"version":"1","id":"edited","source":[{"recording":"sea.mp4","start":"1","end":"3"}],"edits":[{"edit":"rotate","degrees":90},{"edit":"speed","speed":"2","spans":[]}],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{}},"title":"","tags":[],"labels":{},"revision":3,"attempt":1,"progress":{"fraction":1.0,"bytes":36000,"frames":1},"result":{"key":"edited/1/clip.mp4","size":20000,"etag":"\"250752-66153930b272c-4e20\"","duration":"2","width":64,"height":36,"frames":1,"frames_copied":1,"frames_encoded":0,"spans":[{"recording":"sea.mp4","etag":"\"22a86f-6615392fde775-8ca0\"","start":"1","end":"3","clamped":false}],"gaps":[],"bytes_read":36000,"requests":2,"source_size":36000,"seconds":0.081,"remade":false,"notes":[],"edits":[],"posters":[]},"created_at":"2026-11-28T10:23:57.231119Z","updated_at":"2026-11-28T10:23:57.459275Z"}}');
INSERT INTO "events" VALUES(8,'failed.2',1795861437503585,'{"specversion":"1.0","id":"failed.2","source":"/cutback","type":"clip.processing","subject":"failed","time":"2026-11-28T10:23:57.494314Z","datacontenttype":"application/json","data":{"id":"failed","state":"processing","request":{"version":"1","id":"failed","source":[{"recording":"none.mp4","start":"0","end":"1"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{}},"title":"","tags":[],"labels":{},"revision":2,"attempt":1,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.253312Z","updated_at":"2026-11-28T10:23:57.494314Z"}}');
INSERT INTO "events" VALUES(9,'failed.3',1795861437541085,'{"specversion":"1.0","id":"failed.3","source":"/cutback","type":"clip.failed","subject":"failed","time":"2026-11-28T10:23:57.529566Z","datacontenttype":"application/json","data":{"id":"failed","state":"failed","request":{"version":"1","id":"failed","source":[{"recording":"none.mp4","start":"0","end":"1"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{}},"title":"","tags":[],"labels":{},"revision":3,"attempt":1,"progress":{"fraction":0.0,"bytes":0,"frames":0},"failure":{"reason":"recording_not_found","message":"The recording is not in the source store. Check its key, or upload it and retry the clip. none.mp4."},"created_at":"2026-11-28T10:23:57.253312Z","updated_at":"2026-11-28T10:23:57.529566Z"}}');
INSERT INTO "events" VALUES(10,'queued.1',1795861437596685,'{"specversion":"1.0","id":"queued.1","source":"/cutback","type":"clip.queued","subject":"queued","time":"2026-11-28T10:23:57.587608Z","datacontenttype":"application/json","data":{"id":"queued","state":"queued","request":{"version":"1","id":"queued","source":[{"recording":"sea.mp4","start":"0.25","end":"1.5"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":["queued"],"labels":{}},"title":"","tags":["queued"],"labels":{},"revision":1,"attempt":0,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.587608Z","updated_at":"2026-11-28T10:23:57.587608Z"}}');
INSERT INTO "events" VALUES(11,'by-time.1',1795861437620049,'{"specversion":"1.0","id":"by-time.1","source":"/cutback","type":"clip.queued","subject":"by-time","time":"2026-11-28T10:23:57.610167Z","datacontenttype":"application/json","data":{"id":"by-time","state":"queued","request":{"version":"1","id":"by-time","source":[{"camera":"north","from":"2026-06-21T05:30:01.000000Z","to":"2026-06-21T05:30:02.000000Z","gaps":"skip"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{}},"title":"","tags":[],"labels":{},"revision":1,"attempt":0,"progress":{"fraction":0.0,"bytes":0,"frames":0},"created_at":"2026-11-28T10:23:57.610167Z","updated_at":"2026-11-28T10:23:57.610167Z"}}');
CREATE TABLE messages (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        queue TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        receipt TEXT,
        body TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "messages" VALUES(1,'e6ab5a7402a3c3def9a79680382637c2','clips',1795861437582318,1795861437582318,0,NULL,'{"version":"1","id":"queued","source":[{"recording":"sea.mp4","start":"0.25","end":"1.5"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":["queued"],"labels":{},"webhook":null,"expires_in":null,"legacy":null}');
INSERT INTO "messages" VALUES(2,'1ca066884ef01a3aed9825e6f45b447a','clips',1795861437607061,1795861437607061,0,NULL,'{"version":"1","id":"by-time","source":[{"camera":"north","from":"2026-06-21T05:30:01.000000Z","to":"2026-06-21T05:30:02.000000Z","gaps":"skip"}],"edits":[],"output":{"precision":"exact","container":"mp4"},"title":"","tags":[],"labels":{},"webhook":null,"expires_in":null,"legacy":null}');
CREATE TABLE recordings (
        seq INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        camera TEXT NOT NULL,
        length_class INTEGER NOT NULL,
        starts_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        content TEXT NOT NULL
    , rules TEXT NOT NULL DEFAULT '', folder TEXT NOT NULL DEFAULT '') STRICT
    ;
INSERT INTO "recordings" VALUES(1,'north.mp4','north',26,1782019800000000,1782019860000000,'{"key":"north.mp4","etag":"1","size":10,"camera":"north","start":"2026-06-21T05:30:00.000000Z","duration":"60","stored_at":"2026-06-21T05:30:00.000000Z","sequencer":"","width":0,"height":0,"codecs":[],"frame_rate":"0","growing":false,"index":[],"conflicts":[],"evidence":{"camera":"north","start":null,"metadata_camera":"","metadata_start":"","created":""},"folder":"","rules":""}','','');
CREATE TABLE removed_recordings (
        key TEXT PRIMARY KEY,
        sequencer TEXT NOT NULL,
        removed_at INTEGER NOT NULL
    , content TEXT) STRICT, WITHOUT ROWID
    ;
INSERT INTO "removed_recordings" VALUES('gone.mp4','',1782023400000000,'{"key":"gone.mp4","etag":"1","size":10,"camera":"north","start":"2026-06-21T05:30:00.000000Z","duration":"60","stored_at":"2026-06-21T05:30:00.000000Z","sequencer":"","width":0,"height":0,"codecs":[],"frame_rate":"0","growing":false,"index":[],"conflicts":[],"evidence":{"camera":"north","start":null,"metadata_camera":"","metadata_start":"","created":""},"folder":"","rules":""}');
CREATE INDEX messages_by_visibility ON messages (queue, visible_at, seq, receive_count);
CREATE INDEX dead_letters_by_death ON dead_letters (queue, seq);
CREATE INDEX clips_by_creation ON clips (created_at, id);
CREATE INDEX clips_by_state ON clips (state, created_at, id);
CREATE INDEX clips_by_lease ON clips (lease_until) WHERE state = 'processing';
CREATE INDEX clips_by_sweep ON clips (sweep_at) WHERE sweep_at IS NOT NULL;
CREATE INDEX clips_by_expiry ON clips (expires_at) WHERE state = 'ready' AND expires_at IS NOT NULL;
CREATE INDEX events_unannounced ON events (position) WHERE announced_at IS NULL;
CREATE INDEX recordings_by_span ON recordings (camera, length_class, starts_at, ends_at);
CREATE INDEX recordings_by_camera ON recordings (camera, starts_at, key);
CREATE INDEX recordings_by_start ON recordings (starts_at, key);
CREATE INDEX removed_recordings_by_time ON removed_recordings (removed_at);
CREATE INDEX clips_by_waiting ON clips (waits_for, created_at, id) WHERE state = 'waiting';
CREATE INDEX recordings_by_rules ON recordings (rules);
CREATE INDEX recordings_by_folder ON recordings (camera, folder);
CREATE INDEX documents_by_owner ON documents (kind, owner, id);
CREATE INDEX clips_by_tenant ON clips (tenant, created_at, id);
CREATE INDEX clips_by_settling ON clips (settled_at) WHERE settled_at IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',11);
COMMIT;
PRAGMA application_id = 1128420401;
PRAGMA user_version = 9;
