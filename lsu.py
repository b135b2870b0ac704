import sys,gzip; sys.path.insert(0,'/tmp/w-page14/book')
from live import runtime, bundle
rt=runtime.obtained(); used={l.strip().replace('/lib/python312.zip/','').replace('/lib/python3.12/','') for l in open('/tmp/p14/proto/files.txt')}
u=[]
for n,d in bundle.members(rt/'python_stdlib.zip',runtime.TABLE['files']['python_stdlib.zip']).items():
    if n not in used: u.append((len(gzip.compress(d)),n))
print(sum(x for x,_ in u)); print(sorted(u,reverse=True)[:70])
